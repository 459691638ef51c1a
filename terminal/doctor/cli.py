"""``borsellino doctor``."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from cardlib.connections import open_connection
from cardlib.dialogues.probe import Writing
from cardlib.ports import Clock
from cardlib.system import SystemClock, SystemRandomness
from cardlib.text.command_line import FAILURE, language, reported
from terminal.doctor import chip, service
from terminal.doctor import reader as readers
from terminal.doctor.findings import Finding, as_object, describe
from terminal.doctor.till import clock_of, entries, till
from terminal.errors import TillError
from terminal.passphrase import PASSPHRASE_FILE, read_passphrase, read_pin
from terminal.till import software

Check = Callable[[], Finding]


def examine(
    reader: str | None, image: str | None, directory: Path | None, clock: Clock
) -> Iterator[Finding]:
    """All checks: the way to a card until something bars it, then the till and the clock.

    The journal's entries only when the environment says where the passphrase is.

    ``image`` names a virtual card, which needs no reader.
    """
    yield from _way_to_card(reader, image)
    if directory is not None:
        yield from till(directory, clock)
        if PASSPHRASE_FILE in os.environ:
            passphrase = read_passphrase(os.environ, "")
            yield entries(directory, passphrase, clock, SystemRandomness())
    else:
        yield clock_of(clock)


def _way_to_card(reader: str | None, image: str | None) -> Iterator[Finding]:
    checks: list[Check] = [service.library, service.service, lambda: readers.reader(reader)]
    for check in checks if image is None else []:
        finding = check()
        yield finding
        if not finding.ok:
            return
    yield from readers.card(reader, image)


def doctor(
    *,
    reader: Annotated[str | None, typer.Option(help="A reader's name or part of it.")] = None,
    card: Annotated[str | None, typer.Option(help="Image of a virtual card instead.")] = None,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", envvar="BORSELLINO_TILL", help="A till's directory, looked at too."),
    ] = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="Ask the chip what it can do; reads only.")
    ] = False,
    write: Annotated[
        bool,
        typer.Option(
            "--yes-write-training-purse",
            help="With --probe: also write, on a purse of issuer 000000 and on no other.",
        ),
    ] = False,
    pin_file: Annotated[
        Path | None, typer.Option(help="With --probe: the training purse's PIN, if not 12345.")
    ] = None,
    form: Annotated[
        Path | None, typer.Option(help="With --probe: a page in Markdown to file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    lang: Annotated[str | None, typer.Option(help="it or en.")] = None,
) -> None:
    """Says what is missing to read a card here, and the command that mends it."""
    if probe:
        with reported(lang, as_json=as_json):
            writing = _writing(pin_file) if write else None
        _probe(reader, card, writing, form, lang, as_json=as_json)
        return
    if write or pin_file or form:
        raise typer.BadParameter("only with --probe")
    with reported(lang, as_json=as_json):
        findings = examine(reader, card, directory, SystemClock())
        told = _told(findings, language(lang), as_json=as_json)
    if not all(item.ok for item in told):
        raise typer.Exit(FAILURE)


def _writing(pin_file: Path | None) -> Writing:
    return Writing() if pin_file is None else Writing(read_pin(pin_file, ""))


def _file(page: Path, text: str) -> None:
    try:
        page.write_text(text, "utf-8")
    except OSError as error:
        why = str(error.strerror)
        raise TillError("FILE_UNWRITABLE", path=str(page), why=why) from error


def _probe(
    reader: str | None,
    image: str | None,
    writing: Writing | None,
    page: Path | None,
    lang: str | None,
    *,
    as_json: bool,
) -> None:
    chosen = language(lang)
    with reported(lang, as_json=as_json):
        connection = open_connection(reader=reader, image=image)
        try:
            found = chip.ask(connection, SystemClock(), writing)
        finally:
            connection.close()
        if page is not None:
            _file(page, chip.form(found, chosen, software()))
    if as_json:
        typer.echo(json.dumps(chip.as_object(found)))
    else:
        for line in chip.told(found, chosen):
            typer.echo(line)
    if found.gone:
        raise typer.Exit(FAILURE)


def _told(findings: Iterable[Finding], lang: str, *, as_json: bool) -> list[Finding]:
    """Each as soon as it is known: some take seconds."""
    told: list[Finding] = []
    for item in findings:
        told.append(item)
        if not as_json:
            typer.echo(describe(item, lang))
    if as_json:
        good = all(item.ok for item in told)
        objects = [as_object(item, lang) for item in told]
        typer.echo(json.dumps({"ok": good, "findings": objects}, ensure_ascii=False))
    return told
