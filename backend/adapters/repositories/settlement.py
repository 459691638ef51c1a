"""Settlement batches, payments, outcomes, and the postings that wait for a batch."""

from collections.abc import Iterable, Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from backend.adapters.repositories.parts import in_parts
from backend.adapters.tables.cards import LoadOrderRow, PurseRow
from backend.adapters.tables.programmes import ProgrammeRow
from backend.adapters.tables.settlement import (
    ApprovalBandRow,
    BatchApprovalRow,
    BatchLineRow,
    BatchReviewRow,
    GivenStatementRow,
    GoodsReturnRow,
    OutcomeFileRow,
    OutcomeRow,
    PaymentRow,
    SettlementBatchRow,
)
from backend.adapters.tables.verdicts import CaseRow, PostingRow
from backend.domain.cases import Decision
from backend.domain.settlement import BatchState, LineState
from backend.domain.states import OrderState
from backend.errors import UnknownError

BATCHES = 10
"""In memory at once, with all their lines."""


class Settlement:
    """What is paid, and what waits."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._returns: dict[int, list[GoodsReturnRow]] = {}
        """Of the sales that were looked up, by their postings."""

    def note(self, row: object) -> None:
        """``row`` is being stored by this unit."""
        if isinstance(row, GoodsReturnRow) and row.posting_id in self._returns:
            self._returns[row.posting_id].append(row)

    def waiting_postings(
        self, municipality_id: int, merchant_id: int, time_to: int
    ) -> Sequence[tuple[PostingRow, PurseRow]]:
        """Live postings before ``time_to`` in no batch, or in one that failed, with their purses.

        And those of a dead branch that people decided to pay: the shop served in good faith. On
        purses of one municipality, in time order; contradicted ones left out.
        """
        lines = (
            select(BatchLineRow.posting_id)
            .join(SettlementBatchRow, SettlementBatchRow.id == BatchLineRow.batch_id)
            .where(
                BatchLineRow.state == LineState.INCLUDED,
                SettlementBatchRow.state != BatchState.FAILED,
            )
            .where(BatchLineRow.return_id.is_(None))
        )
        paid_by_people = select(CaseRow.id).where(CaseRow.decision == Decision.PAY)
        rows = self._session.execute(
            select(PostingRow, PurseRow)
            .join(PurseRow, PurseRow.id == PostingRow.purse_id)
            .where(PurseRow.municipality_id == municipality_id)
            .where(PostingRow.merchant_id == merchant_id, PostingRow.event_time < time_to)
            .where(or_(PostingRow.live.is_(True), PostingRow.case_id.in_(paid_by_people)))
            .where(PostingRow.state != "contradicted")
            .where(PostingRow.id.not_in(lines))
            .order_by(PostingRow.event_time, PostingRow.id)
        )
        return [(posting, purse) for posting, purse in rows]

    def batch(self, batch_id: int) -> SettlementBatchRow:
        """By id; UnknownError ``BATCH_UNKNOWN``."""
        row = self._session.get(SettlementBatchRow, batch_id)
        if row is None:
            raise UnknownError("BATCH_UNKNOWN", batch=batch_id)
        return row

    def batches(self, merchant_id: int | None = None) -> Sequence[SettlementBatchRow]:
        """All batches, or those of a merchant, by id."""
        query = select(SettlementBatchRow).order_by(SettlementBatchRow.id)
        if merchant_id is not None:
            query = query.where(SettlementBatchRow.merchant_id == merchant_id)
        return self._session.scalars(query).all()

    def each_batch(self) -> Iterable[SettlementBatchRow]:
        """All batches, by id, a few at a time."""
        query = select(SettlementBatchRow).order_by(SettlementBatchRow.id)
        return self._session.scalars(query.execution_options(yield_per=BATCHES))

    def batches_of_lines(self, line_ids: Iterable[int]) -> dict[int, int]:
        """The batch of each of these lines."""
        found: dict[int, int] = {}
        for part in in_parts(line_ids):
            query = select(BatchLineRow.id, BatchLineRow.batch_id).where(BatchLineRow.id.in_(part))
            found.update((line, batch) for line, batch in self._session.execute(query))
        return found

    def batches_of_period(
        self, municipality_id: int, merchant_id: int, start: int, end: int
    ) -> Sequence[SettlementBatchRow]:
        """Batches that have not failed and whose period overlaps ``start`` to ``end``, by id."""
        return self._session.scalars(
            select(SettlementBatchRow)
            .where(SettlementBatchRow.municipality_id == municipality_id)
            .where(SettlementBatchRow.merchant_id == merchant_id)
            .where(SettlementBatchRow.state != BatchState.FAILED)
            .where(SettlementBatchRow.period_from < end, SettlementBatchRow.period_to > start)
            .order_by(SettlementBatchRow.id)
        ).all()

    def included_lines(self, posting_ids: Iterable[int]) -> dict[int, int]:
        """By posting, the id of the newest line in which it was to be paid."""
        found: dict[int, int] = {}
        for part in in_parts(posting_ids):
            query = (
                select(BatchLineRow.posting_id, func.max(BatchLineRow.id))
                .where(BatchLineRow.posting_id.in_(part), BatchLineRow.state == LineState.INCLUDED)
                .where(BatchLineRow.return_id.is_(None))
                .group_by(BatchLineRow.posting_id)
            )
            found.update((posting, line) for posting, line in self._session.execute(query))
        return found

    def included_line(self, posting_id: int) -> BatchLineRow | None:
        """The newest line in which a posting was to be paid."""
        return self._session.scalar(
            select(BatchLineRow)
            .where(BatchLineRow.posting_id == posting_id, BatchLineRow.state == LineState.INCLUDED)
            .where(BatchLineRow.return_id.is_(None))
            .order_by(BatchLineRow.id.desc())
            .limit(1)
        )

    def line(self, batch_id: int, line_id: int) -> BatchLineRow:
        """By id; UnknownError ``LINE_UNKNOWN`` unless it is one of the batch's."""
        row = self._session.get(BatchLineRow, line_id)
        if row is None or row.batch_id != batch_id:
            raise UnknownError("LINE_UNKNOWN", line=line_id, batch=batch_id)
        return row

    # --- returns ----------------------------------------------------------------------------

    def goods_return(self, return_id: int) -> GoodsReturnRow:
        """By id; UnknownError ``RETURN_UNKNOWN``."""
        row = self._session.get(GoodsReturnRow, return_id)
        if row is None:
            raise UnknownError("RETURN_UNKNOWN", number=return_id)
        return row

    def returns(self) -> Sequence[GoodsReturnRow]:
        """All, oldest first."""
        return self._session.scalars(select(GoodsReturnRow).order_by(GoodsReturnRow.id)).all()

    def returns_of(self, posting_id: int) -> Sequence[GoodsReturnRow]:
        """The returns of one sale, oldest first."""
        self.fetch_returns([posting_id])
        return self._returns[posting_id]

    def fetch_returns(self, posting_ids: Iterable[int]) -> None:
        """Looks up the returns of several sales, in one go."""
        for part in in_parts(number for number in posting_ids if number not in self._returns):
            self._returns.update((number, []) for number in part)
            query = select(GoodsReturnRow).where(GoodsReturnRow.posting_id.in_(part))
            for row in self._session.scalars(query.order_by(GoodsReturnRow.id)):
                self._returns[row.posting_id].append(row)

    def waiting_returns(
        self, municipality_id: int, merchant_id: int, time_to: int
    ) -> Sequence[GoodsReturnRow]:
        """A merchant's returns before ``time_to`` that neither a batch that has not failed nets
        nor the merchant has repaid, oldest first."""
        lines = (
            select(BatchLineRow.return_id)
            .join(SettlementBatchRow, SettlementBatchRow.id == BatchLineRow.batch_id)
            .where(
                BatchLineRow.state == LineState.INCLUDED,
                SettlementBatchRow.state != BatchState.FAILED,
            )
            .where(BatchLineRow.return_id.is_not(None))
        )
        return self._session.scalars(
            select(GoodsReturnRow)
            .join(ProgrammeRow, ProgrammeRow.id == GoodsReturnRow.programme_id)
            .where(ProgrammeRow.municipality_id == municipality_id)
            .where(GoodsReturnRow.merchant_id == merchant_id, GoodsReturnRow.agreed_at < time_to)
            .where(GoodsReturnRow.repaid_at.is_(None), GoodsReturnRow.id.not_in(lines))
            .order_by(GoodsReturnRow.id)
        ).all()

    def orders_of_return(self, return_id: int) -> Sequence[LoadOrderRow]:
        """Orders that are not void and give a return to a purse, oldest first."""
        return self._session.scalars(
            select(LoadOrderRow)
            .where(LoadOrderRow.return_id == return_id, LoadOrderRow.state != OrderState.VOID)
            .order_by(LoadOrderRow.id)
        ).all()

    def line_of_return(self, return_id: int) -> BatchLineRow | None:
        """The newest line that nets a return."""
        return self._session.scalar(
            select(BatchLineRow)
            .where(BatchLineRow.return_id == return_id, BatchLineRow.state == LineState.INCLUDED)
            .order_by(BatchLineRow.id.desc())
            .limit(1)
        )

    # --- statements -------------------------------------------------------------------------

    def given_statements(self) -> Sequence[GivenStatementRow]:
        """Every signed statement that a merchant was given, oldest first."""
        return self._session.scalars(select(GivenStatementRow).order_by(GivenStatementRow.id)).all()

    def given_statement(self, digest: bytes) -> GivenStatementRow | None:
        """By SHA-256 of its bytes."""
        return self._session.scalar(
            select(GivenStatementRow).where(GivenStatementRow.hash == digest)
        )

    # --- reviews and approvals ------------------------------------------------------------

    def review(self, batch_id: int) -> BatchReviewRow | None:
        """What is known of a batch's review."""
        return self._session.get(BatchReviewRow, batch_id)

    def approvals(self, batch_id: int) -> Sequence[BatchApprovalRow]:
        """A batch's approvals, in their order."""
        return self._session.scalars(
            select(BatchApprovalRow)
            .where(BatchApprovalRow.batch_id == batch_id)
            .order_by(BatchApprovalRow.id)
        ).all()

    def bands(self, municipality_id: int, until: int | None = None) -> Sequence[ApprovalBandRow]:
        """A town's bands as they were set up to ``until`` (Unix seconds), in that order."""
        query = select(ApprovalBandRow).where(ApprovalBandRow.municipality_id == municipality_id)
        if until is not None:
            query = query.where(ApprovalBandRow.set_at <= until)
        return self._session.scalars(query.order_by(ApprovalBandRow.id)).all()

    def payments(self, batch_id: int | None = None) -> Sequence[PaymentRow]:
        """All payments, or those of a batch, by id."""
        query = select(PaymentRow).order_by(PaymentRow.id)
        if batch_id is not None:
            query = query.where(PaymentRow.batch_id == batch_id)
        return self._session.scalars(query).all()

    def payment(self, payment_id: int) -> PaymentRow:
        """By its own number."""
        return self._session.get_one(PaymentRow, payment_id)

    def find_payment(self, end_to_end_id: str) -> PaymentRow | None:
        """By the id that the bank repeats."""
        return self._session.scalar(
            select(PaymentRow).where(PaymentRow.end_to_end_id == end_to_end_id)
        )

    def find_outcome_file(self, digest: bytes) -> OutcomeFileRow | None:
        """By SHA-256 of its bytes."""
        return self._session.scalar(select(OutcomeFileRow).where(OutcomeFileRow.sha256 == digest))

    def find_outcome(self, reference: str) -> OutcomeRow | None:
        """By reference."""
        return self._session.get(OutcomeRow, reference)
