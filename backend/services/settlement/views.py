"""Settlement batches as people and reports see them."""

from dataclasses import dataclass

from backend.adapters.repositories.verdicts import Posted
from backend.adapters.tables.settlement import BatchLineRow, SettlementBatchRow
from backend.adapters.unit_of_work import Unit
from backend.domain.settlement import BatchState, Period
from backend.services.verdicts.posted import entry_of


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A line for people; ``entry`` is ``terminal:seq``, ``reason`` a code of the catalogue.

    ``goods_return`` is the number of a return that it nets. ``in_sample``: whether the review
    has to look at it; None before there is a review. ``note``: why it was held back.
    """

    id: int
    entry: str
    event_time: int
    cents: int
    state: str
    reason: str
    replaces: int | None
    goods_return: int | None = None
    in_sample: bool | None = None
    reviewed_by: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A settlement batch as people and reports see it; times in Unix seconds."""

    id: int
    municipality: int
    merchant: int
    merchant_name: str
    period: Period
    state: BatchState
    total_cents: int
    created_by: str
    approved_by: str | None
    approvals: tuple[str, ...] = ()
    seed: str | None = None
    """Of the review's sample, in hexadecimal digits."""
    lines: tuple[BatchLine, ...]


def view(unit: Unit, row: SettlementBatchRow) -> Batch:
    """What ``row`` says, with names and entries."""
    review = unit.settlement.review(row.id)
    posted = unit.verdicts.posted(line.posting_id for line in row.lines)
    return Batch(
        id=row.id,
        municipality=row.municipality_id,
        merchant=row.merchant_id,
        merchant_name=unit.terminals.merchant(row.merchant_id).name,
        period=Period(row.period_from, row.period_to),
        state=BatchState(row.state),
        total_cents=row.total_cents,
        created_by=row.created_by,
        approved_by=row.approved_by,
        approvals=tuple(item.person for item in unit.settlement.approvals(row.id)),
        seed=review.seed.hex() if review and review.seed else None,
        lines=tuple(_line_view(line, posted[line.posting_id]) for line in row.lines),
    )


def _line_view(line: BatchLineRow, posting: Posted) -> BatchLine:
    return BatchLine(
        line.id, entry_of(posting), posting.event_time, line.cents, line.state, line.reason,
        line.replaces_id, line.return_id, line.in_sample, line.reviewed_by, line.note,
    )  # fmt: skip
