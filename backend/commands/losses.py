"""``borsellino backend lost-terminal | block | unblock | replace``: what was lost or stolen."""

from datetime import datetime
from typing import Annotated

import typer

from backend.commands.answers import say
from backend.commands.options import HERE, ApprovedBy, By, Dir, Json, Lang, Openers
from backend.errors import BadInputError
from cardlib.calendar import ZONE
from cardlib.text.command_line import reported
from cardlib.wire.ids import PurseId

Purse = Annotated[str, typer.Argument(help="Issuer and number, as in 018182-0011….")]
Act = Annotated[str, typer.Option(help="The act or report that says so.")]


def add_commands(app: typer.Typer, openers: Openers) -> None:
    """Adds the sub-commands to ``app``."""
    _add_terminals(app, openers)
    _add_cards(app, openers)


def _add_terminals(app: typer.Typer, openers: Openers) -> None:
    @app.command("lost-terminal")
    def lost_terminal(
        terminal: int,
        *,
        since: Annotated[str, typer.Option(help="When: YYYY-MM-DDTHH:MM, local time.")],
        act: Act,
        by: By,
        approved_by: ApprovedBy,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Records a till as lost: nothing waits for it, its sales since then wait for a person."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            purses = backend.losses.record(
                terminal, _time(since), act=act, requested_by=by, approved_by=approved_by
            )
            say("made_loss", lang, as_json=as_json, terminal=terminal, purses=purses)


def _add_cards(app: typer.Typer, openers: Openers) -> None:
    @app.command()
    def block(
        purse: Purse,
        *,
        stolen: Annotated[bool, typer.Option("--stolen", help="Stolen, not lost.")] = False,
        by: By,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Declares a card lost or stolen: tills refuse it, its money is set aside."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            code = "CARD_STOLEN" if stolen else "CARD_LOST"
            number = backend.cards.block(PurseId.parse(purse), code, by=by)
            say("made_block", lang, as_json=as_json, number=number)

    @app.command()
    def unblock(
        purse: Purse, *, by: By, approved_by: ApprovedBy,
        directory: Dir = HERE, as_json: Json = False, lang: Lang = None,
    ) -> None:  # fmt: skip
        """The card was found: two people let its money be spent again."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            backend.cards.unblock(PurseId.parse(purse), requested_by=by, approved_by=approved_by)
            say("made_unblock", lang, as_json=as_json)

    @app.command()
    def replace(
        old: Purse,
        new: Purse,
        *,
        by: By,
        approved_by: ApprovedBy,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Orders the money of a blocked card onto a new one, less a reserve for late sales."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            orders = backend.cards.replace(
                PurseId.parse(old), PurseId.parse(new), requested_by=by, approved_by=approved_by
            )
            told = ", ".join(map(str, orders)) or "-"
            say("made_replacement", lang, as_json=as_json, orders=told)


def _time(text: str) -> int:
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp())
    except ValueError as error:
        raise BadInputError("TIME_BAD", time=text) from error
