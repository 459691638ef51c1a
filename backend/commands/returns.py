"""``borsellino backend return | returns | return-again | repaid``: goods that came back."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

import typer

from backend.commands.options import HERE, ApprovedBy, By, Dir, Json, Lang, Openers
from backend.services.refunds.returns import AgreedReturn
from cardlib.text import catalogue
from cardlib.text.command_line import language, reported
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money

Number = Annotated[int, typer.Argument(help="Number of the return.")]
Purse = Annotated[
    str | None, typer.Option(help="Another purse, when the debited one was replaced.")
]


def add_commands(app: typer.Typer, openers: Openers) -> None:
    """Adds the sub-commands to ``app``."""
    _add_agreeing(app, openers)
    _add_following(app, openers)


def _add_agreeing(app: typer.Typer, openers: Openers) -> None:
    @app.command("return")
    def agree(
        terminal: int,
        seq: Annotated[int, typer.Argument(help="Number of the sale or of its intent.")],
        cents: Annotated[int, typer.Argument(help="What the goods had cost, in cents.")],
        *, act: Annotated[str, typer.Option(help="The act or slip that says so.")],
        slot: Annotated[int | None, typer.Option(help="Of one wallet only.")] = None,
        purse: Purse = None, by: By, approved_by: ApprovedBy,
        directory: Dir = HERE, as_json: Json = False, lang: Lang = None,
    ) -> None:  # fmt: skip
        """Goods came back after the day's close: the merchant owes them, the purse gets them."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            agreed = backend.returns.agree(
                terminal, seq, Money(cents), act=act, requested_by=by, approved_by=approved_by,
                slot=slot, purse=None if purse is None else PurseId.parse(purse),
            )  # fmt: skip
            _show(agreed, lang, as_json=as_json)

    @app.command("return-again")
    def order_again(
        number: Number, *, purse: Purse = None, by: By, approved_by: ApprovedBy,
        directory: Dir = HERE, as_json: Json = False, lang: Lang = None,
    ) -> None:  # fmt: skip
        """Orders a return anew, whose order became void."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            agreed = backend.returns.order_again(
                number, requested_by=by, approved_by=approved_by,
                purse=None if purse is None else PurseId.parse(purse),
            )  # fmt: skip
            _show([agreed], lang, as_json=as_json)


def _add_following(app: typer.Typer, openers: Openers) -> None:
    @app.command()
    def returns(*, directory: Dir = HERE, as_json: Json = False, lang: Lang = None) -> None:
        """All returns, and whether the merchant has made up for them."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            _show(backend.returns.listed(), lang, as_json=as_json)

    @app.command()
    def repaid(
        number: Number,
        *, reference: Annotated[str, typer.Option(help="The bank's reference.")],
        by: By, directory: Dir = HERE, as_json: Json = False, lang: Lang = None,
    ) -> None:  # fmt: skip
        """The merchant sent back what had been paid."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            _show([backend.returns.repaid(number, reference, by)], lang, as_json=as_json)


def _show(found: Iterable[AgreedReturn], lang: str | None, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([asdict(item) for item in found]))
        return
    chosen = language(lang)
    lines = [_line(item, chosen) for item in found]
    typer.echo("\n".join(lines or [catalogue.label("backend", "returns_none", chosen)]))


def _line(item: AgreedReturn, lang: str) -> str:
    state = catalogue.label("backend", "return_open", lang)
    if item.repaid_ref is not None:
        state = catalogue.label("backend", "return_repaid", lang, ref=item.repaid_ref)
    elif item.netted_in is not None:
        state = catalogue.label("backend", "return_netted", lang, batch=item.netted_in)
    return catalogue.label(
        "backend", "return_line", lang, number=item.number, entry=item.entry,
        amount=catalogue.money(Money(item.cents), lang), order=item.order or "-", state=state,
    )  # fmt: skip
