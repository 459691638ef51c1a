"""``borsellino backend merchant | enable | code | statement``: shops and their terminals."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.commands.answers import say
from backend.commands.options import HERE, Dir, Json, Lang, Openers
from backend.composition import Backend
from backend.domain.settlement import Period
from backend.errors import BadInputError, ConflictError
from backend.services.administration.merchants import FOREVER, Statement
from backend.services.settlement.statements import SignedStatement, StatementService
from backend.services.terminals.module_orders import ALLOWANCE, ModuleAllowance
from cardlib.calendar import day_end, local_time
from cardlib.text import catalogue
from cardlib.text.command_line import language, reported
from cardlib.wire.ids import TerminalNumber
from cardlib.wire.money import Money

FirstDay = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")
]
LastDay = Annotated[
    datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, inclusive.")
]


def add_commands(app: typer.Typer, openers: Openers) -> None:
    """Adds the sub-commands to ``app``."""

    @app.command()
    def merchant(
        name: str, iban: str, *, directory: Dir = HERE, as_json: Json = False, lang: Lang = None
    ) -> None:
        """A merchant and where to pay."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            number = backend.merchants.register(name, iban)
            say("made_merchant", lang, as_json=as_json, number=number)

    @app.command()
    def enable(
        merchant: int,
        programme: int,
        *,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Lets a merchant take a programme's vouchers."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            backend.merchants.enable(merchant, programme)
            say("enabled", lang, as_json=as_json, merchant=merchant, programme=programme)

    @app.command()
    def code(
        merchant: int,
        fingerprint: Annotated[str, typer.Argument(help="As the shop reads it out.")],
        *,
        training: Annotated[bool, typer.Option("--training", help="A training till.")] = False,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """A one-time enrolment code, for fifteen minutes and this key only."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            made = backend.enrolment.issue_code(merchant, fingerprint, training=training)
            operator = backend.keys.operator_key().public.fingerprint
            say("made_code", lang, as_json=as_json, code=made, operator=operator)

    @app.command("module-quota")
    def module_quota(
        terminal: int,
        target: Annotated[Path, typer.Argument(metavar="FILE", help="For terminal module order.")],
        *,
        debits: Annotated[int, typer.Option(help="Debits until the next allowance.")] = (
            ALLOWANCE.debits
        ),
        euro: Annotated[str, typer.Option(help="Euro until the next allowance.")] = str(
            ALLOWANCE.cents // 100
        ),
        ceiling: Annotated[str, typer.Option(help="Most euro in one debit; 0 for none.")] = "0",
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """A module card's next allowance in a file, for a till that cannot synchronise."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            may = ModuleAllowance(debits, _cents(euro), _cents(ceiling))
            target.write_bytes(backend.modules.order(TerminalNumber(terminal), may))
            say("module_quota", lang, as_json=as_json, terminal=terminal, path=str(target))

    @app.command()
    def statement(
        merchant: int,
        *,
        first: FirstDay = None,
        last: LastDay = None,
        out: Annotated[
            Path | None, typer.Option(help="Write it signed into this file, for the merchant.")
        ] = None,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """What a merchant sold: what is accepted, what waits and why; signed with --out."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            period = _period(first, last)
            found = backend.merchants.statement(merchant, period.start, period.end)
            signed = _signed(backend, merchant, period, out) if out else None
            if as_json:
                typer.echo(json.dumps(asdict(found) | _signed_object(signed, out)))
                return
            _print(found, language(lang))
            if signed is not None:
                _say_signed(signed, out, language(lang))


def _period(first: datetime | None, last: datetime | None) -> Period:
    """From the first day's beginning to the last day's end, Europe/Rome; all there is without."""
    start = day_end(first.date() - timedelta(days=1)) if first else 0
    return Period(start, day_end(last.date()) if last else FOREVER)


def _signed(backend: Backend, merchant: int, period: Period, out: Path) -> SignedStatement:
    service = StatementService(backend.work, backend.keys, backend.clock)
    signed = service.issue(merchant, period)
    row = {
        "merchant": merchant, "bytes": signed.complete.hex(),
        "inclusions": [
            asdict(item) | {"path": [step.hex() for step in item.path]}
            for item in signed.inclusions
        ],
    }  # fmt: skip
    try:
        out.write_text(json.dumps(row, separators=(",", ":")) + "\n", "utf-8")
    except OSError as error:
        why = str(error.strerror)
        raise ConflictError("FILE_UNWRITABLE", path=str(out), why=why) from error
    return signed


def _signed_object(signed: SignedStatement | None, out: Path | None) -> dict[str, Any]:
    if signed is None:
        return {}
    head = signed.statement.ledger
    return {"file": str(out), "ledger_head": {"transfer": head.transfer, "hash": head.hash.hex()}}


def _say_signed(signed: SignedStatement, out: Path | None, lang: str) -> None:
    facts = {"path": str(out), "head": signed.statement.ledger.words}
    typer.echo(catalogue.label("backend", "statement_signed", lang, **facts))


def _cents(text: str) -> int:
    try:
        cents = Money.parse(text.strip()).cents
    except ValueError as error:
        raise BadInputError("AMOUNT_BAD") from error
    if cents < 0:
        raise BadInputError("AMOUNT_BAD")
    return cents


def _print(found: Statement, lang: str) -> None:
    for line in found.lines:
        amount = catalogue.money(Money(line.accepted_cents + line.waiting_cents), lang)
        reason = catalogue.sentence(line.reason, lang) if line.reason else ""
        told = f"{local_time(line.time):%d/%m/%Y %H:%M}  {line.entry:>10}  {amount:>14}  {reason}"
        typer.echo(told.rstrip())
    facts = {
        "accepted": catalogue.money(Money(found.accepted_cents), lang),
        "waiting": catalogue.money(Money(found.waiting_cents), lang),
    }
    typer.echo(catalogue.label("backend", "statement_sum", lang, **facts))
