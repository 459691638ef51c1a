"""Settlement batches as people and reports see them."""

from dataclasses import dataclass

from backend.adapters.tables.settlement import BatchLineRow, SettlementBatchRow
from backend.adapters.tables.verdicts import PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.settlement import BatchState, Period


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A line for people; ``entry`` is ``terminal:seq``, ``reason`` a code of the catalogue."""

    id: int
    entry: str
    event_time: int
    cents: int
    state: str
    reason: str
    replaces: int | None


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
    lines: tuple[BatchLine, ...]


def view(unit: Unit, row: SettlementBatchRow) -> Batch:
    """What ``row`` says, with names and entries."""
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
        lines=tuple(_line_view(unit, line) for line in row.lines),
    )


def _line_view(unit: Unit, line: BatchLineRow) -> BatchLine:
    posting = unit.verdicts.posting(line.posting_id)
    return BatchLine(
        line.id, entry_of(posting), posting.event_time, line.cents, line.state, line.reason,
        line.replaces_id,
    )  # fmt: skip


def entry_of(posting: PostingRow) -> str:
    """The journal entry behind a posting, ``terminal:seq``."""
    return f"{posting.terminal}:{posting.closing_seq or posting.intent_seq}"
