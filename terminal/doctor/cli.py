"""``borsellino doctor``."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from cardlib.ports import Clock
from cardlib.system import SystemClock
from cardlib.text.command_line import FAILURE, language
from terminal.doctor import reader as readers
from terminal.doctor import service
from terminal.doctor.findings import Finding, as_object, describe
from terminal.doctor.till import clock_of, till

Check = Callable[[], Finding]


def examine(
    reader: str | None, image: str | None, directory: Path | None, clock: Clock
) -> Iterator[Finding]:
    """All checks: the way to a card until something bars it, then the till and the clock.

    ``image`` names a virtual card, which needs no reader.
    """
    yield from _way_to_card(reader, image)
    if directory is not None:
        yield from till(directory, clock)
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
    reader: Annotated[str | None, typer.Option(help="Part of the reader's name.")] = None,
    card: Annotated[str | None, typer.Option(help="Image of a virtual card instead.")] = None,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", envvar="BORSELLINO_TILL", help="A till's directory, looked at too."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    lang: Annotated[str | None, typer.Option(help="it or en.")] = None,
) -> None:
    """Says what is missing to read a card here, and the command that mends it."""
    told = _told(examine(reader, card, directory, SystemClock()), language(lang), as_json=as_json)
    if not all(item.ok for item in told):
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
