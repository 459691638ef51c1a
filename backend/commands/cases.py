"""``borsellino backend cases | close-case | refund``: what waits for people."""

import json
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from backend.commands.options import HERE, ApprovedBy, By, Dir, Json, Lang, Openers
from backend.domain.cases import Cover, Decision
from backend.services.cases.office import OpenCase
from cardlib.calendar import local_time
from cardlib.text import catalogue
from cardlib.text.command_line import language, reported
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money


class Choice(StrEnum):
    """What is typed for a decision: its name."""

    PAY = "pay"
    REFUND = "refund"
    RELEASE = "release"
    DONE = "done"


def add_commands(app: typer.Typer, openers: Openers) -> None:
    """Adds the sub-commands to ``app``."""
    _add_cases(app, openers)
    _add_refund(app, openers)


def _add_cases(app: typer.Typer, openers: Openers) -> None:
    @app.command()
    def cases(*, directory: Dir = HERE, as_json: Json = False, lang: Lang = None) -> None:
        """What waits for a proof or a person, and until when."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            found = backend.cases.waiting()
            if as_json:
                typer.echo(json.dumps([asdict(case) for case in found]))
                return
            lines = [_line(case, language(lang)) for case in found]
            none = catalogue.label("backend", "no_cases", language(lang))
            typer.echo("\n".join(lines or [none]))

    @app.command("close-case")
    def close_case(
        case: int,
        decision: Choice,
        *,
        cover: Annotated[
            Cover | None, typer.Option(help="Who bears what the wallet lacked.")
        ] = None,
        act: Annotated[str, typer.Option(help="The act that decides it.")],
        by: By,
        approved_by: ApprovedBy,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Two people decide: pay the merchant, refund the purse, or release it to the wallet."""
        chosen = Decision[decision.name]
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            cents = backend.cases.close(
                case, chosen, act=act, requested_by=by, approved_by=approved_by, cover=cover
            )
            if as_json:
                typer.echo(json.dumps({"case": case, "cents": cents}))
                return
            money = catalogue.money(Money(cents), language(lang))
            typer.echo(
                catalogue.label("backend", "case_closed", language(lang), number=case, money=money)
            )


def _add_refund(app: typer.Typer, openers: Openers) -> None:
    @app.command()
    def refund(
        terminal: int,
        seq: Annotated[int, typer.Argument(help="Number of the sale or of its intent.")],
        *,
        purse: Annotated[
            str | None, typer.Option(help="Another purse, when the debited one was replaced.")
        ] = None,
        by: By,
        approved_by: ApprovedBy,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Orders what is due for a sale onto the purse, by a new grant."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            orders = backend.refunds.order(
                terminal, seq, requested_by=by, approved_by=approved_by,
                purse=None if purse is None else PurseId.parse(purse),
            )  # fmt: skip
            if as_json:
                typer.echo(json.dumps({"orders": orders}))
                return
            told = ", ".join(map(str, orders))
            typer.echo(catalogue.label("backend", "made_refund", language(lang), orders=told))


def _line(case: OpenCase, lang: str) -> str:
    line = catalogue.label(
        "backend", "case_line", lang, number=case.number, entry=case.entry or "-",
        money=catalogue.money(Money(case.cents), lang),
        due=f"{local_time(case.due_at):%d/%m/%Y}", told=catalogue.sentence(case.code, lang),
    ).rstrip()  # fmt: skip
    if not case.rivals:
        return line
    rivals = catalogue.label("backend", "case_rivals", lang, entries=", ".join(case.rivals))
    return f"{line}\n{rivals}"
