"""``borsellino terminal pay``: one sale, or void, without a screen."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cardlib.connections import open_connection
from cardlib.text import catalogue
from cardlib.text.command_line import confirmed, reported
from cardlib.trace import Exchange
from cardlib.wire.money import Money
from terminal.commands.options import (
    Card,
    Dir,
    Json,
    Lang,
    Module,
    ModuleCard,
    Openers,
    Reader,
    chosen_directory,
    language_of,
)
from terminal.counter import Counter
from terminal.passphrase import read_pin
from terminal.pay import Order, find_category, items_of, pay
from terminal.pay_purse import issuer_of
from terminal.pay_talk import PlainTalk, QuietTalk, paid_object
from terminal.receipts import render
from terminal.till_module import ModuleSlot

Trace = Annotated[bool, typer.Option(help="Print each command, PIN masked.")]


def add_command(app: typer.Typer, openers: Openers) -> None:
    """``pay``."""

    @app.command("pay")
    def pay_command(
        context: typer.Context,
        *,
        directory: Dir = None,
        amount: Annotated[
            list[str] | None, typer.Option(help="Euro, as 12,50; repeat with --category.")
        ] = None,
        category: Annotated[
            list[str] | None, typer.Option(help="Name or number of the category of goods.")
        ] = None,
        issuer: Annotated[
            str,
            typer.Option(help="ISTAT code of the town whose purse pays; else the card's first."),
        ] = "",
        void: Annotated[
            bool, typer.Option("--void", help="Take the last sale back instead.")
        ] = False,
        rest_otherwise: Annotated[
            bool, typer.Option(help="What the voucher does not cover is paid in another way.")
        ] = False,
        park: Annotated[bool, typer.Option(help="Set an open sale of another card aside.")] = False,
        pin_file: Annotated[
            Path | None, typer.Option(help="File with the PIN; else asked.")
        ] = None,
        keypad: Annotated[
            bool, typer.Option(help="The PIN is typed on the reader where it has a keypad.")
        ] = True,
        yes: Annotated[bool, typer.Option("--yes", help="The customer has agreed.")] = False,
        reader: Reader = None,
        card: Card = None,
        module: Module = "",
        module_card: ModuleCard = "",
        as_json: Json = False,
        lang: Lang = None,
        trace: Trace = False,
    ) -> None:
        """One sale without a screen."""
        amounts, town = _amounts(amount or [], category or [], void=void), _town(issuer)
        if as_json and not yes:
            raise typer.BadParameter("--json needs --yes: nobody can be asked")
        slot, chosen = ModuleSlot(module, module_card), chosen_directory(context, directory)
        with reported(lang, as_json=as_json), openers.opened(chosen, slot, lang) as till:
            language = language_of(till, lang)
            counter, exchanges = Counter(till), list[Exchange]()
            categories = [find_category(till.trust, asked) for asked in category or []]
            order = Order(
                items_of(amounts, categories), rest_otherwise=rest_otherwise, park=park, issuer=town
            )
            agreed = partial(confirmed, lang=language)
            talk = (QuietTalk if as_json else PlainTalk)(
                typer.echo,
                (lambda _question: True) if yes else agreed,
                lambda: read_pin(pin_file, catalogue.label("pay", "pin", language)),
                till.trust,
                language,
                interactive=pin_file is None,
                keypad=keypad and pin_file is None,
                again=None if as_json else agreed,
            )
            besides = (slot or till.config.slot).reader
            connection = open_connection(reader=reader, image=card, besides=besides)
            try:
                paid = pay(
                    counter, counter.card(connection, _tracer(exchanges, trace)), order, talk
                )
            finally:
                connection.close()
            if as_json:
                octets = sum(item.size for item in exchanges)
                typer.echo(json.dumps(paid_object(paid, len(exchanges), octets)))
            else:
                typer.echo("\n" + render(paid.receipt, language))


def _amounts(amounts: list[str], categories: list[str], *, void: bool) -> list[Money]:
    if void and (amounts or categories):
        raise typer.BadParameter("--void takes the whole last sale back: no amounts")
    if not void and (not amounts or len(amounts) != len(categories)):
        raise typer.BadParameter("one --category for each --amount, at least one")
    try:
        return [_money(text) for text in amounts]
    except ValueError as error:
        raise typer.BadParameter(f"not an amount: {error}") from error


def _town(issuer: str) -> bytes | None:
    try:
        return issuer_of(issuer) if issuer else None
    except ValueError as error:
        raise typer.BadParameter("--issuer is an ISTAT code: six digits") from error


def _money(text: str) -> Money:
    negative = text.strip().startswith("-")
    amount = Money.parse(text.strip().removeprefix("-"))
    return -amount if negative else amount


def _tracer(exchanges: list[Exchange], trace: bool) -> Callable[[Exchange], None]:  # noqa: FBT001
    def take(exchange: Exchange) -> None:
        exchanges.append(exchange)
        if trace:
            typer.echo(str(exchange), err=True)

    return take
