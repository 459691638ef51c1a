"""``borsellino card info`` and ``card log``: what a card says to anybody."""

import json
import os
from typing import Annotated, Any, TypeVar

import typer

from cardlib.channel import Channel
from cardlib.connections import open_connection
from cardlib.dialogues.inspect import CardSummary, LogLine, inspect_card, read_log
from cardlib.dialogues.volley import Dialogue
from cardlib.text import catalogue
from cardlib.text.command_line import reported
from cardlib.trace import Exchange

app = typer.Typer(help="Read a card, in a reader or as an image file.", no_args_is_help=True)

T = TypeVar("T")
Reader = Annotated[str | None, typer.Option(help="The reader's name or a part; * and ? stand in.")]
Card = Annotated[str | None, typer.Option(help="Image of a virtual card, instead of a reader.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Lang = Annotated[str | None, typer.Option(help="it or en.")]
Trace = Annotated[bool, typer.Option(help="Print each command, PIN masked.")]


@app.command()
def info(
    *,
    reader: Reader = None,
    card: Card = None,
    as_json: Json = False,
    lang: Lang = None,
    trace: Trace = False,
) -> None:
    """What kind of card this is, and which purses it carries."""
    atr, summary = _run(inspect_card(), reader, card, lang, trace=trace)
    if as_json:
        typer.echo(json.dumps(_summary_object(atr, summary)))
        return
    for line in _summary_lines(atr, summary, catalogue.preferred(os.environ, lang)):
        typer.echo(line)


@app.command()
def log(
    *,
    reader: Reader = None,
    card: Card = None,
    as_json: Json = False,
    lang: Lang = None,
    trace: Trace = False,
) -> None:
    """The purse's last 20 records: number and kind. Amounts are enciphered."""
    _, lines = _run(read_log(), reader, card, lang, trace=trace)
    if as_json:
        typer.echo(json.dumps({"records": [_log_object(line) for line in lines]}))
        return
    chosen = catalogue.preferred(os.environ, lang)
    for line in lines:
        kind = line.type.name.lower() if line.type is not None else "empty"
        word = catalogue.label("card", f"record_{kind}", chosen)
        shown = f"{line.ctr:>8}  {line.intent_hash.hex()}" if line.type is not None else ""
        typer.echo(f"{line.index:>3}  {word:<22}{shown}".rstrip())


def _run(
    dialogue: Dialogue[T], reader: str | None, card: str | None, lang: str | None, *, trace: bool
) -> tuple[bytes, T]:
    with reported(lang):
        connection = open_connection(reader=reader, image=card)
        channel = Channel(connection, _print_exchange if trace else None)
        try:
            return channel.atr, channel.run(dialogue)
        finally:
            channel.close()


def _print_exchange(exchange: Exchange) -> None:
    typer.echo(str(exchange), err=True)


def _summary_object(atr: bytes, summary: CardSummary) -> dict[str, Any]:
    purses = [
        {
            "directory": f"{item.directory:04X}",
            "issuer": item.info.issuer_code,
            "purse": item.info.purse.hex(),
            "suite": item.info.suite,
            "key_set": item.info.key_set,
            "expires_on": item.info.expires_on.isoformat(),
            "pin_enforced": item.info.pin_enforced,
        }
        for item in summary.purses
    ]
    return {
        "atr": atr.hex(),
        "card_id": summary.card_id,
        "serial": summary.serial,
        "has_services": summary.has_services,
        "purses": purses,
    }


def _summary_lines(atr: bytes, summary: CardSummary, lang: str) -> list[str]:
    kind = "crs" if summary.card_id else "white" if summary.has_services else "other"
    lines = [catalogue.label("card", f"kind_{kind}", lang), f"ATR {atr.hex().upper()}"]
    if summary.card_id:
        lines.append(catalogue.label("card", "card_id", lang, number=summary.card_id))
    for item in summary.purses:
        facts = {
            "directory": f"{item.directory:04X}",
            "issuer": item.info.issuer_code,
            "purse": item.info.purse.hex(),
            "day": item.info.expires_on.isoformat(),
        }
        lines.append(catalogue.label("card", "purse", lang, **facts))
    if not summary.purses:
        lines.append(catalogue.sentence("PURSE_MISSING", lang))
    return lines


def _log_object(line: LogLine) -> dict[str, Any]:
    kind = line.type.name.lower() if line.type is not None else None
    return {
        "index": line.index,
        "type": kind,
        "ctr": line.ctr,
        "intent_hash": line.intent_hash.hex(),
    }
