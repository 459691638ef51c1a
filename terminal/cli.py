"""``borsellino terminal``: the till on the screen; ``pay`` without one; ``journal``."""

import importlib
import json
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cardlib.connections import open_connection, watched_readers
from cardlib.system import SystemClock, SystemRandomness
from cardlib.text import catalogue
from cardlib.text.command_line import reported
from cardlib.trace import Exchange
from cardlib.wire.money import Money
from terminal.counter import Counter
from terminal.journal_listing import entry_details, entry_line, entry_object
from terminal.module.cli import module_app
from terminal.passphrase import read_passphrase, read_pin
from terminal.pay import Order, find_category, items_of, pay
from terminal.pay_purse import issuer_of
from terminal.pay_talk import PlainTalk, QuietTalk, paid_object
from terminal.receipts import render
from terminal.till import Till
from terminal.till_module import ModuleSlot

app = typer.Typer(help="The till: sell, settle, look into the journal.", add_completion=False)
journal_app = typer.Typer(help="The till's journal.", add_completion=False)
app.add_typer(journal_app, name="journal")
app.add_typer(module_app, name="module")

FAILURE, USAGE = 1, 2
Dir = Annotated[
    Path | None,
    typer.Option("--dir", envvar="BORSELLINO_TILL", help="The till's directory; else ./till."),
]
Reader = Annotated[str | None, typer.Option(help="The reader's name or a part; * and ? stand in.")]
Card = Annotated[str | None, typer.Option(help="Image of a virtual card, instead of a reader.")]
Module = Annotated[
    str, typer.Option("--module", help="Part of the name of the reader with the module card.")
]
ModuleCard = Annotated[str, typer.Option(help="Image of a virtual module card instead.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Lang = Annotated[str | None, typer.Option(help="it or en.")]
Trace = Annotated[bool, typer.Option(help="Print each command, PIN masked.")]
HERE = Path("till")


@app.callback(invoke_without_command=True)
def screen(
    context: typer.Context,
    *,
    directory: Dir = None,
    reader: Reader = None,
    card: Card = None,
    module: Module = "",
    module_card: ModuleCard = "",
    lang: Lang = None,
) -> None:
    """Opens the till on the screen when no sub-command is named."""
    if context.invoked_subcommand is not None:
        return
    slot, chosen = ModuleSlot(module, module_card), _chosen(context, directory)
    with reported(lang, as_json=False), _opened(chosen, slot, lang) as till:
        shown = importlib.import_module("terminal.ui.app")  # Textual only when it is wanted
        besides = (slot or till.config.slot).reader
        with watched_readers(reader=reader, image=card, besides=besides) as watch:
            shown.run(
                till,
                lambda: open_connection(reader=reader, image=card, besides=besides),
                _language(till, lang),
                watch,
            )


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
        str, typer.Option(help="ISTAT code of the town whose purse pays; else the card's first.")
    ] = "",
    void: Annotated[bool, typer.Option("--void", help="Take the last sale back instead.")] = False,
    rest_otherwise: Annotated[
        bool, typer.Option(help="What the voucher does not cover is paid in another way.")
    ] = False,
    park: Annotated[bool, typer.Option(help="Set an open sale of another card aside.")] = False,
    pin_file: Annotated[Path | None, typer.Option(help="File with the PIN; else asked.")] = None,
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
    slot, chosen = ModuleSlot(module, module_card), _chosen(context, directory)
    with reported(lang, as_json=as_json), _opened(chosen, slot, lang) as till:
        language = _language(till, lang)
        counter, exchanges = Counter(till), list[Exchange]()
        categories = [find_category(till.trust, asked) for asked in category or []]
        order = Order(
            items_of(amounts, categories), rest_otherwise=rest_otherwise, park=park, issuer=town
        )
        talk = (QuietTalk if as_json else PlainTalk)(
            typer.echo,
            (lambda _question: True) if yes else typer.confirm,
            lambda: read_pin(pin_file, catalogue.label("pay", "pin", language)),
            till.trust,
            language,
            interactive=pin_file is None,
            keypad=keypad and pin_file is None,
            again=None if as_json else typer.confirm,
        )
        besides = (slot or till.config.slot).reader
        connection = open_connection(reader=reader, image=card, besides=besides)
        try:
            paid = pay(counter, counter.card(connection, _tracer(exchanges, trace)), order, talk)
        finally:
            connection.close()
        if as_json:
            octets = sum(item.size for item in exchanges)
            typer.echo(json.dumps(paid_object(paid, len(exchanges), octets)))
        else:
            typer.echo("\n" + render(paid.receipt, language))


@journal_app.callback(invoke_without_command=True)
def journal(
    context: typer.Context, *, directory: Dir = None, as_json: Json = False, lang: Lang = None
) -> None:
    """The entries, when no sub-command is named."""
    if context.invoked_subcommand is None:
        list_entries(context, directory=directory, as_json=as_json, lang=lang)


@journal_app.command("list")
def list_entries(
    context: typer.Context,
    *,
    directory: Dir = None,
    last: Annotated[int, typer.Option(help="Only so many of the newest entries.")] = 0,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """One line an entry."""
    with reported(lang, as_json=as_json):
        till = _load(_chosen(context, directory), lang)
        with till.read_journal() as reader:
            found = reader.views.newest(last) if last else list(reader.views.entries())
        if as_json:
            typer.echo(json.dumps({"entries": [entry_object(item) for item in found]}))
            return
        for item in found:
            typer.echo(entry_line(item, _language(till, lang)))


@journal_app.command()
def show(
    context: typer.Context,
    seq: Annotated[int, typer.Argument(help="Number of the entry.")],
    *,
    directory: Dir = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """All fields of one entry, by the keys of the entry format."""
    with reported(lang, as_json=as_json):
        with _load(_chosen(context, directory), lang).read_journal() as reader:
            stored = reader.views.entry(seq)
        if as_json:
            typer.echo(json.dumps(entry_object(stored)))
            return
        for line in entry_details(stored):
            typer.echo(line)


@journal_app.command()
def check(
    context: typer.Context, *, directory: Dir = None, as_json: Json = False, lang: Lang = None
) -> None:
    """Whether every entry is numbered, chained, signed and canonical; exit 1 if not."""
    with reported(lang, as_json=as_json):
        till = _load(_chosen(context, directory), lang)
        with till.read_journal() as reader:
            report = reader.check()
            unsettled = [item.seq for item in reader.views.unsettled()]
        if as_json:
            defects = [{"seq": item.seq, "code": item.code} for item in report.defects]
            shown = {
                "good": report.good, "entries": report.entries, "head": report.head_hash.hex(),
                "unsettled": unsettled, "defects": defects,
            }  # fmt: skip
            typer.echo(json.dumps(shown))
        else:
            language = _language(till, lang)
            for item in report.defects:
                typer.echo(catalogue.sentence(item.code, language, seq=item.seq))
            verdict = "check_good" if report.good else "check_bad"
            facts = {"entries": report.entries, "unsettled": len(unsettled)}
            typer.echo(catalogue.label("journal", verdict, language, **facts))
    if not report.good:
        sys.exit(FAILURE)


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


def _chosen(context: typer.Context, directory: Path | None) -> Path:
    """``--dir`` may stand before or after the sub-command; the innermost one counts."""
    above = context.parent
    while directory is None and above is not None:
        directory, above = above.params.get("directory"), above.parent
    return directory or HERE


def _passphrase(lang: str | None) -> str:
    chosen = catalogue.preferred(os.environ, lang)
    return read_passphrase(os.environ, catalogue.label("pay", "passphrase", chosen))


def _load(directory: Path, lang: str | None) -> Till:
    return Till.load(directory, _passphrase(lang), SystemClock(), SystemRandomness())


@contextmanager
def _opened(directory: Path, slot: ModuleSlot, lang: str | None) -> Generator[Till]:
    clock, randomness = SystemClock(), SystemRandomness()
    with Till.open(directory, _passphrase(lang), clock, randomness, slot or None) as till:
        yield till


def _language(till: Till, lang: str | None) -> str:
    return catalogue.preferred(os.environ, lang or till.config.language or None)
