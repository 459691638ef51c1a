"""``borsellino doctor``: what is missing here, and the command that mends it.

Checks in the order in which a card is reached: PC/SC library, service, reader,
card, purse. Each later check needs the earlier ones.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from cardlib.channel import Channel
from cardlib.connections import open_connection
from cardlib.dialogues.inspect import inspect_card
from cardlib.errors import CardlibError, PurseRefusedError
from cardlib.text import catalogue


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its name, whether it is in order, and the code that says what to do."""

    check: str
    ok: bool
    code: str
    detail: str = ""


def examine(reader: str | None = None, card: str | None = None) -> Iterator[Finding]:
    """The checks in order, ending with the first that fails.

    ``card`` names the image of a virtual card, which needs no reader.
    """
    checks: list[Callable[[], Finding]] = [lambda: _card(reader, card)]
    if card is None:
        checks = [_library, _service, lambda: _reader(reader), *checks]
    for check in checks:
        finding = check()
        yield finding
        if not finding.ok:
            return


def _library() -> Finding:
    try:
        from cardlib.pcsc import winscard  # noqa: F401, PLC0415 - an extra: its absence is the finding
    except ImportError:
        return Finding("library", ok=False, code="PCSC_LIBRARY_MISSING")
    return Finding("library", ok=True, code="")


def _service() -> Finding:
    return _guarded("service", lambda: f"{len(_readers())}")


def _reader(name: str | None) -> Finding:
    found = [reader for reader in _readers() if name is None or name in reader]
    if not found:
        return Finding("reader", ok=False, code="READER_MISSING", detail=name or "")
    return Finding("reader", ok=True, code="", detail=", ".join(found))


def _readers() -> list[str]:
    from cardlib import pcsc  # noqa: PLC0415 - needs the extra that _library looks for

    return pcsc.readers()


def _card(reader: str | None, card: str | None) -> Finding:
    return _guarded("card", lambda: _purses(reader, card))


def _purses(reader: str | None, card: str | None) -> str:
    connection = open_connection(reader=reader, image=card)
    try:
        summary = Channel(connection).run(inspect_card())
    finally:
        connection.close()
    if not summary.purses:
        raise PurseRefusedError("PURSE_MISSING" if summary.has_services else "CARD_NOT_CRS")
    return ", ".join(f"{item.info.issuer_code}-{item.info.purse.hex()}" for item in summary.purses)


def _guarded(check: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(check, ok=True, code="", detail=look())
    except CardlibError as error:
        return Finding(check, ok=False, code=error.code)


def doctor(
    *,
    reader: Annotated[str | None, typer.Option(help="Part of the reader's name.")] = None,
    card: Annotated[str | None, typer.Option(help="Image of a virtual card instead.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    lang: Annotated[str | None, typer.Option(help="it or en.")] = None,
) -> None:
    """Says what is missing to read a card here, and the command that mends it."""
    findings = list(examine(reader, card))
    chosen = catalogue.preferred(os.environ, lang)
    if as_json:
        typer.echo(json.dumps({"findings": [asdict(item) for item in findings]}))
    else:
        for item in findings:
            typer.echo(describe(item, chosen))
    if not all(item.ok for item in findings):
        raise typer.Exit(1)


def describe(finding: Finding, lang: str) -> str:
    """One line, and under a missing part the sentence with its command."""
    state = catalogue.label("doctor", "in_order" if finding.ok else "missing", lang)
    name = catalogue.label("doctor", finding.check, lang)
    detail = f" ({finding.detail})" if finding.detail else ""
    line = f"{state:<11} {name}{detail}"
    if finding.ok:
        return line
    mend = catalogue.load(lang).get("mend", {}).get(finding.code, "")
    sentence = catalogue.sentence(finding.code, lang)
    return "\n".join(
        part for part in (line, f"  {sentence}", f"  $ {mend}" if mend else "") if part
    )
