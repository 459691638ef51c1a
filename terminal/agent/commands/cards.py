"""``borsellino sync``, with a card in the reader: the backend drives, this station relays."""

import json
import sys
from typing import Annotated

import typer

from cardlib.channel import Channel
from cardlib.codec.pin import Pin
from cardlib.connections import open_connection
from cardlib.text import catalogue
from cardlib.text.command_line import reported
from cardlib.wire.card_session import SessionCommands, SessionOpening
from cardlib.wire.money import Money
from terminal.agent.card_session import PinAsker, no_pin, run_session
from terminal.agent.commands.options import (
    FAILURE,
    HERE,
    Card,
    Dir,
    Json,
    Lang,
    Openers,
    Reader,
    language_of,
    uplink_of,
)
from terminal.till import Till

LOAD, PERSONALISE, PURSE_MADE = "load", "personalise", "PURSE_MADE"
RENEW, PIN, PIN_RESET = "renew", "pin", "PIN_RESET"
RENEWED = frozenset({"KEY_SET_CHANGED", "KEY_SET_CURRENT"})
"""Ends of a renewal after which the card is of the newest key set."""
LOADED = frozenset(
    {"LOAD_DONE", "LOAD_AGAIN", "LOAD_TIDIED", "LOAD_VOIDED", "LOAD_NOTHING_WAITING"}
)
"""Ends of a load session after which the card is as it should be."""


def add_commands(app: typer.Typer, openers: Openers) -> None:
    """``top-up``, ``personalise``, ``renew``, ``reset-pin``."""

    @app.command("top-up")
    def top_up(
        *,
        directory: Dir = HERE,
        reader: Reader = None,
        card: Card = None,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Hands out the load that waits for the card in the reader."""
        with reported(lang, as_json=as_json):
            till = openers.load(directory, lang)
            ended = _session(till, SessionOpening(LOAD, ""), reader, card)
            _tell_end(ended, language_of(till, lang), as_json=as_json)
        if ended.outcome not in LOADED:
            sys.exit(FAILURE)

    @app.command()
    def personalise(
        serial: Annotated[
            str, typer.Argument(help="Serial of the stock card; for a CRS also /CODICEFISCALE.")
        ],
        *,
        directory: Dir = HERE,
        reader: Reader = None,
        card: Card = None,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Puts a purse on the stock card in the reader; the backend drives, no key is here."""
        with reported(lang, as_json=as_json):
            till = openers.load(directory, lang)
            ended = _session(till, SessionOpening(PERSONALISE, serial), reader, card)
            _tell_end(ended, language_of(till, lang), as_json=as_json)
        if ended.outcome != PURSE_MADE:
            sys.exit(FAILURE)

    @app.command()
    def renew(
        *,
        directory: Dir = HERE,
        reader: Reader = None,
        card: Card = None,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Changes the key set of the card in the reader; the citizen types the PIN."""
        with reported(lang, as_json=as_json):
            till = openers.load(directory, lang)
            pin = _typed_pin(language_of(till, lang))
            ended = _session(till, SessionOpening(RENEW, ""), reader, card, pin)
            _tell_end(ended, language_of(till, lang), as_json=as_json)
        if ended.outcome not in RENEWED:
            sys.exit(FAILURE)

    @app.command("reset-pin")
    def reset_pin(
        *,
        by: Annotated[str, typer.Option(help="Who has checked whose card it is.")],
        purse: Annotated[str, typer.Option(help="Which purse, when the card has several.")] = "",
        directory: Dir = HERE,
        reader: Reader = None,
        card: Card = None,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Sets a new PIN on the card in the reader; it is in a letter at the backend."""
        with reported(lang, as_json=as_json):
            till = openers.load(directory, lang)
            reference = f"{by}/{purse}" if purse else by
            ended = _session(till, SessionOpening(PIN, reference), reader, card)
            _tell_end(ended, language_of(till, lang), as_json=as_json)
        if ended.outcome != PIN_RESET:
            sys.exit(FAILURE)


def _typed_pin(lang: str) -> PinAsker:
    """Asks for the PIN without showing it; an empty line stands for none."""

    def ask(tries: int | None) -> Pin | None:
        if tries is not None:
            typer.echo(catalogue.sentence("PIN_WRONG", lang, tries_left=tries), err=True)
        question = catalogue.label("sync", "pin", lang)
        typed = typer.prompt(question, default="", hide_input=True, show_default=False, err=True)
        return Pin(typed) if typed else None

    return ask


def _session(
    till: Till,
    opening: SessionOpening,
    reader: str | None,
    card: str | None,
    ask_pin: PinAsker = no_pin,
) -> SessionCommands:
    with uplink_of(till) as uplink:
        module = till.config.module_reader
        connection = open_connection(reader=reader, image=card, besides=module)
        try:
            return run_session(Channel(connection), uplink, opening, ask_pin=ask_pin)
        finally:
            connection.close()


def _tell_end(ended: SessionCommands, lang: str, *, as_json: bool) -> None:
    if as_json:
        shown = {"outcome": ended.outcome, "cents": ended.cents, "purse": ended.purse}
        typer.echo(json.dumps(shown))
        return
    typer.echo(catalogue.sentence(ended.outcome, lang))
    if ended.cents:
        amount = catalogue.money(Money(ended.cents), lang)
        typer.echo(catalogue.label("sync", "top_up_done", lang, amount=amount))
    elif ended.purse:
        key = "purse" if ended.outcome in RENEWED else "purse_letter"
        typer.echo(catalogue.label("sync", key, lang, purse=ended.purse))
