"""``borsellino backend settlement``: batches, approvals, payment orders, outcomes."""

import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.adapters.pain001 import Debtor
from backend.commands.batches_shown import (
    batch_object,
    headline,
    municipality_of,
    show_batches,
)
from backend.commands.options import HERE, By, Dir, Json, Lang
from backend.commands.reviews import add_reviews
from backend.composition import Backend
from backend.domain.settlement import Period
from backend.services.settlement.outcomes import ImportReport, OutcomeService
from cardlib.calendar import day_end
from cardlib.text import catalogue
from cardlib.text.command_line import FAILURE, language, reported
from cardlib.wire.money import Money

Opened = Callable[[Path], AbstractContextManager[Backend]]
"""Opens the installation in a directory."""

Number = Annotated[int, typer.Argument(help="Number of the batch.")]


def settlement_app(opened: Opened) -> typer.Typer:
    """The sub-commands on installations that ``opened`` opens."""
    app = typer.Typer(
        help="Pay the merchants: batches, approvals, payment orders, outcomes.",
        no_args_is_help=True,
    )  # fmt: skip
    _add_batches(app, opened)
    add_reviews(app, opened)
    _add_payments(app, opened)
    return app


def _add_batches(app: typer.Typer, opened: Opened) -> None:
    @app.command("draw-up")
    def draw_up(
        *,
        merchant: Annotated[int, typer.Option(help="Number of the merchant.")],
        first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")],
        last: Annotated[
            datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, inclusive.")
        ],
        by: By,
        town: Annotated[
            str | None, typer.Option(help="ISTAT code; needed where there are several towns.")
        ] = None,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Draws up the batch of a merchant and period; the one that exists when there is one."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            period = period_of(first.date(), last.date())
            batch = backend.settlement.draw_up(municipality_of(backend, town), merchant, period, by)
            show_batches([batch], lang, as_json=as_json)

    @app.command()
    def show(
        batch: Number, *, directory: Dir = HERE, as_json: Json = False, lang: Lang = None
    ) -> None:
        """A batch with its lines."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            show_batches([backend.settlement.batch(batch)], lang, as_json=as_json)

    @app.command("list")
    def list_batches(
        *,
        merchant: Annotated[int | None, typer.Option(help="Only this merchant's.")] = None,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """All batches, one line each."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            batches = backend.settlement.batches(merchant)
            if as_json:
                typer.echo(json.dumps({"batches": [batch_object(batch) for batch in batches]}))
                return
            for batch in batches:
                typer.echo(headline(batch, language(lang)))

    @app.command()
    def approve(
        batch: Number, *, by: By, directory: Dir = HERE, as_json: Json = False, lang: Lang = None
    ) -> None:
        """Approves a batch; never by who drew it up, and as often as its amount asks for."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            show_batches([backend.settlement.approve(batch, by)], lang, as_json=as_json)

    @app.command("turn-down")
    def turn_down(
        batch: Number, *, by: By, directory: Dir = HERE, as_json: Json = False, lang: Lang = None
    ) -> None:
        """Refuses a batch: its sales wait for the next one."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            show_batches([backend.settlement.turn_down(batch, by)], lang, as_json=as_json)


def _add_payments(app: typer.Typer, opened: Opened) -> None:
    @app.command()
    def order(
        batches: Annotated[list[int], typer.Argument(help="Numbers of approved batches.")],
        *,
        payer: Annotated[str, typer.Option(help="Name of the account's owner: the town.")],
        iban: Annotated[str, typer.Option(help="The account that pays.")],
        bic: Annotated[str, typer.Option(help="Its bank, where the bank asks for it.")] = "",
        out: Annotated[Path, typer.Option(help="The pain.001.001.09 file to write.")],
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Writes the payment order for the bank; asked again, the very same file."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            made = backend.settlement.order_payments(batches, Debtor(payer, iban, bic))
            out.write_bytes(made.content)
            facts = {
                "file": str(out), "message_id": made.message_id, "payments": len(made.batches),
                "total_cents": made.total_cents,
            }  # fmt: skip
            total = catalogue.money(Money(made.total_cents), language(lang))
            _say("ordered", facts, lang, as_json=as_json, total=total)

    @app.command()
    def outcomes(
        file: Annotated[Path, typer.Argument(help="The treasurer's CSV.", exists=True)],
        *,
        by: By,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Imports what became of the payments: the whole file, or nothing of it."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            service = OutcomeService(backend.work, backend.clock)
            report = service.import_file(file.name, file.read_bytes(), by)
            _tell_import(report, lang, as_json=as_json)
        if not report.accepted:
            sys.exit(FAILURE)


def period_of(first: date, last: date) -> Period:
    """From the first day's beginning to the last day's end, Europe/Rome."""
    return Period(day_end(first - timedelta(days=1)), day_end(last))


def _tell_import(report: ImportReport, lang: str | None, *, as_json: bool) -> None:
    chosen = language(lang)
    if as_json:
        faults = [asdict(fault) for fault in report.faults]
        typer.echo(json.dumps({"new": len(report.new), "known": report.known, "faults": faults}))
        return
    for fault in report.faults:
        told = catalogue.sentence(fault.code, chosen, text=fault.text)
        typer.echo(catalogue.label("settlement", "row", chosen, line=fault.line, told=told))
    if report.faults:
        rows = ", ".join(str(fault.line) for fault in report.faults)
        told = catalogue.sentence("OUTCOME_FILE_REFUSED", chosen, rows=rows)
        typer.echo(f"OUTCOME_FILE_REFUSED: {told}", err=True)
        return
    facts = {"new": len(report.new), "known": report.known}
    typer.echo(catalogue.label("settlement", "imported", chosen, **facts))


def _say(
    key: str, facts: dict[str, Any], lang: str | None, *, as_json: bool, **more: object
) -> None:
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        typer.echo(catalogue.label("settlement", key, language(lang), **facts, **more))
