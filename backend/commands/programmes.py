"""``borsellino backend town | category | programme | fund | award | stock | order``."""

import json
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from backend.commands.options import HERE, ApprovedBy, By, Day, Dir, Json, Lang, Openers
from backend.errors import BadInputError
from backend.services.administration.programmes import NewProgramme
from cardlib.text import catalogue
from cardlib.text.command_line import language, reported
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money

Issuer = Annotated[str, typer.Option(help="ISTAT code of the municipality, six digits.")]
Act = Annotated[str, typer.Option(help="The act behind it.")]
Amount = Annotated[str, typer.Argument(help="Euro, as in 120,00.")]


def add_commands(app: typer.Typer, openers: Openers) -> None:
    """Adds the sub-commands to ``app``."""
    _add_settings(app, openers)
    _add_money(app, openers)
    _add_cards(app, openers)


def _add_settings(app: typer.Typer, openers: Openers) -> None:
    @app.command()
    def town(
        issuer: Annotated[str, typer.Argument(help="ISTAT code, six digits.")],
        name: str,
        *,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """A municipality, with keys of its own."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            number = backend.programmes.create_municipality(issuer, name)
            _made("town", number, lang, as_json=as_json)

    @app.command()
    def category(
        bit: Annotated[int, typer.Argument(help="0 to 31.")],
        name_it: str,
        name_en: str,
        *,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """A category of goods, named in Italian and English."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            backend.programmes.name_category(bit, name_it, name_en)
            _made("category", bit, lang, as_json=as_json)

    @app.command()
    def programme(
        number: int,
        name: str,
        *,
        issuer: Issuer,
        categories: Annotated[str, typer.Option(help="Category numbers, as in 0,1,2.")],
        valid_from: Day,
        valid_to: Day,
        day_limit: Annotated[int, typer.Option(help="Whole euro a day; 0 for none.")] = 0,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """A programme of a municipality."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            bits = tuple(_number(part) for part in categories.split(","))
            new = NewProgramme(number, name, bits, _day(valid_from), _day(valid_to), day_limit)
            made = backend.programmes.create_programme(issuer, new)
            _made("programme", made, lang, as_json=as_json)


def _add_money(app: typer.Typer, openers: Openers) -> None:
    @app.command()
    def fund(
        programme: int,
        amount: Amount,
        *,
        source: Annotated[str, typer.Option(help="Who gave the money.")],
        act: Act,
        by: By,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Money received for a programme."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            made = backend.programmes.fund(programme, source, _euro(amount), act=act, by=by)
            _made("fund", made, lang, as_json=as_json)

    @app.command()
    def award(
        programme: int,
        holder: Annotated[str, typer.Argument(help="The municipality's reference, no name.")],
        amount: Amount,
        *,
        source: Annotated[str, typer.Option(help="From whose money.")],
        act: Act,
        by: By,
        approved_by: ApprovedBy,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """An award to a household."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            made = backend.programmes.award(
                programme, source, holder, _euro(amount),
                act=act, requested_by=by, approved_by=approved_by,
            )  # fmt: skip
            _made("award", made, lang, as_json=as_json)


def _add_cards(app: typer.Typer, openers: Openers) -> None:
    @app.command()
    def stock(
        path: Annotated[Path, typer.Argument(metavar="FILE", help="Stock file of a card.")],
        *,
        issuer: Issuer,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Takes a card into the town's stock."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            serial = backend.loads.import_stock(issuer, _read(path))
            _made("stock", serial, lang, as_json=as_json)

    @app.command()
    def order(
        award: int,
        purse: Annotated[str, typer.Argument(help="Issuer and number, as in 018182-0011….")],
        amount: Amount,
        *,
        by: By,
        approved_by: ApprovedBy,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """An approved load order: part of an award onto one purse."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            made = backend.loads.approve(
                award, PurseId.parse(purse), _euro(amount),
                requested_by=by, approved_by=approved_by,
            )  # fmt: skip
            _made("order", made, lang, as_json=as_json)


def _made(kind: str, number: int | str, lang: str | None, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({kind: number}))
    else:
        typer.echo(catalogue.label("backend", f"made_{kind}", language(lang), number=number))


def _euro(text: str) -> Money:
    try:
        return Money.parse(text)
    except ValueError as error:
        raise BadInputError("AMOUNT_BAD", amount=text) from error


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInputError("DAY_BAD", day=text) from error


def _number(text: str) -> int:
    if not text.strip().isdecimal():
        raise BadInputError("CATEGORY_BAD", category=text)
    return int(text)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError("STOCK_FILE_BAD", path=str(path)) from error
