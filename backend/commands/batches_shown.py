"""How commands name a town and show settlement batches."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import typer

from backend.composition import Backend
from backend.errors import BadInputError
from backend.services.settlement.views import Batch, BatchLine
from cardlib.calendar import day_at
from cardlib.text import catalogue
from cardlib.text.command_line import language
from cardlib.wire.money import Money


def municipality_of(backend: Backend, code: str | None) -> int:
    """The town of an ISTAT code, or the only one; BadInputError ``TOWN_WHICH`` otherwise."""
    with backend.work.read() as unit:
        towns = [
            town.id
            for town in unit.programmes.municipalities()
            if code is None or town.issuer.hex() == code
        ]
    if len(towns) != 1:
        raise BadInputError("TOWN_WHICH", count=len(towns))
    return towns[0]


def show_batches(batches: Iterable[Batch], lang: str | None, *, as_json: bool) -> None:
    """Prints batches with their lines; the number of a line comes first."""
    for batch in batches:
        if as_json:
            typer.echo(json.dumps(batch_object(batch)))
            continue
        chosen = language(lang)
        typer.echo(headline(batch, chosen))
        if batch.seed is not None:
            typer.echo(catalogue.label("settlement", "seed", chosen, seed=batch.seed))
        if batch.approvals:
            people = ", ".join(batch.approvals)
            typer.echo(catalogue.label("settlement", "approvals", chosen, people=people))
        for line in batch.lines:
            typer.echo(_line(line, chosen))


def headline(batch: Batch, lang: str) -> str:
    """One line for a batch."""
    return catalogue.label(
        "settlement", "batch", lang, batch=batch.id, merchant=batch.merchant_name,
        first=f"{day_at(batch.period.start):%d/%m/%Y}",
        last=f"{day_at(batch.period.end - 1):%d/%m/%Y}",
        total=catalogue.money(Money(batch.total_cents), lang),
        state=catalogue.label("settlement", f"state_{batch.state}", lang),
    )  # fmt: skip


def batch_object(batch: Batch) -> dict[str, Any]:
    """A batch for JSON."""
    return asdict(batch) | {"period": [batch.period.start, batch.period.end]}


def _line(line: BatchLine, lang: str) -> str:
    told = []
    if line.reason:
        told.append(catalogue.sentence(line.reason, lang))
    if line.note:
        told.append(line.note)
    if line.reviewed_by is not None:
        told.append(catalogue.label("settlement", "seen_by", lang, person=line.reviewed_by))
    elif line.in_sample:
        told.append(catalogue.label("settlement", "in_sample", lang))
    amount = catalogue.money(Money(line.cents), lang)
    if line.goods_return is not None:
        return catalogue.label(
            "settlement", "line_return", lang, number=line.id, goods_return=line.goods_return,
            entry=line.entry, amount=amount, told=" ".join(told),
        ).rstrip()  # fmt: skip
    return f"  {line.id:>6}  {line.entry:>14}  {amount:>14}  {' '.join(told)}".rstrip()
