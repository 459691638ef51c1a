"""Settlement: draws up batches, has them approved, writes payment orders.

The rules are in ``backend.domain.settlement``. Everything can be asked twice: the same
period is the same batch, the same approval changes nothing, and the same payments give
the same payment order, byte for byte.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from backend.adapters.pain001 import CreditTransfer, Debtor, message_id, payment_order
from backend.adapters.tables.settlement import (
    BatchApprovalRow,
    BatchLineRow,
    PaymentRow,
    SettlementBatchRow,
)
from backend.adapters.unit_of_work import Unit
from backend.domain.iban import checked_iban
from backend.domain.ledger import Ref, RefKind
from backend.domain.outcomes import PaymentState
from backend.domain.people import check_person, is_same
from backend.domain.settlement import (
    BatchState,
    Draft,
    LineState,
    Period,
    advance,
    check_complete,
    check_second_person,
    draw_up,
)
from backend.domain.states import TerminalState
from backend.errors import ConflictError
from backend.services.recovery.office import require_whole
from backend.services.settlement.claims import claims_of, payable_to
from backend.services.settlement.money import book_batch, fail_batch
from backend.services.settlement.reviews import check_reviewed, rule_of
from backend.services.settlement.views import Batch, view
from backend.services.unit_of_work import Work
from cardlib.calendar import day_at
from cardlib.ports import Clock


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """A file for the bank, and the batches that it pays."""

    message_id: str
    content: bytes
    batches: tuple[int, ...]
    total_cents: int


class SettlementService:
    """The use cases; people are named by whoever calls."""

    def __init__(self, work: Work, clock: Clock) -> None:
        self._work = work
        self._clock = clock

    def draw_up(self, municipality: int, merchant: int, period: Period, by: str) -> Batch:
        """The batch of a merchant for a period; the one that exists when there is one.

        One that was turned down or sent back by the bank stands for its period no more: it is
        drawn up again, by lines that name the failed ones, or a later period takes them up.

        ConflictError: ``PERIOD_OVERLAPS`` another batch's, ``PERIOD_NOT_OVER``,
        ``PERIOD_OPEN`` (a till has not reported past its end), ``BATCH_EMPTY``.
        """
        check_person(by)
        with self._work.begin() as unit:
            unit.terminals.merchant(merchant)
            row = _find_same_period(unit, municipality, merchant, period)
            if row is None:
                check_complete(period, _marks(unit, merchant), self._now())
                claims = claims_of(unit, municipality, merchant, period.end, self._now())
                draft = draw_up(claims, payable_to(unit, merchant))
                row = self._store(unit, municipality, merchant, period, by, draft)
                unit.commit()
            return view(unit, row)

    def approve(self, batch: int, by: str) -> Batch:
        """Another person agrees; with the last that its amount asks for there is a payment, with
        its name and IBAN.

        Again by the same person changes nothing. ConflictError ``BATCH_STATE``,
        ``REVIEW_WANTED``, ``REVIEW_UNFINISHED``, ``BATCH_EMPTY`` (the review left nothing).
        """
        with self._work.begin() as unit:
            row = unit.settlement.batch(batch)
            agreed = [item.person for item in unit.settlement.approvals(batch)]
            if any(is_same(by, person) for person in agreed):
                return view(unit, row)
            advanced = advance(batch, BatchState(row.state), BatchState.APPROVED)
            check_second_person(batch, row.created_by, by)
            check_reviewed(unit, row)
            if row.total_cents <= 0:
                raise ConflictError("BATCH_EMPTY", postponed=len(row.lines))
            unit.add(BatchApprovalRow(batch_id=batch, person=by, approved_at=self._now()))
            if len(agreed) + 1 >= rule_of(unit, row).approvals:
                row.state, row.approved_by, row.approved_at = advanced, by, self._now()
                unit.add(self._payment(unit, row))
            unit.commit()
            return view(unit, row)

    def turn_down(self, batch: int, by: str) -> Batch:
        """A second person refuses a batch not yet ordered: its money is payable again."""
        with self._work.begin() as unit:
            row = unit.settlement.batch(batch)
            if row.state == BatchState.IN_PAYMENT:
                raise ConflictError("BATCH_STATE", batch=batch, state=row.state, wanted="failed")
            check_second_person(batch, row.created_by, by)
            for payment in unit.settlement.payments(batch):
                payment.state = PaymentState.FAILED
            row.turned_down_by, row.turned_down_at = by, self._now()
            fail_batch(unit, row, Ref(RefKind.BATCH, str(batch)), self._now(), self._now())
            unit.commit()
            return view(unit, row)

    def order_payments(self, batches: Iterable[int], debtor: Debtor) -> PaymentOrder:
        """The payment order for approved batches of one municipality, or the same one again.

        ConflictError ``PAYMENTS_OF_TWO_ORDERS`` when some left with another order,
        ``BACKEND_IN_RECOVERY`` while a restored copy does not know yet what was paid.
        """
        numbers = sorted(set(batches))
        with self._work.begin() as unit:
            require_whole(unit)
            rows = [unit.settlement.batch(number) for number in numbers]
            payments = [_payment_of(unit, row) for row in rows]
            transfers = [_transfer(row, item) for row, item in zip(rows, payments, strict=True)]
            reference = message_id(debtor, transfers)
            ordered_at = self._mark_ordered(rows, payments, reference)
            content = payment_order(debtor, transfers, ordered_at)
            unit.commit()
        return PaymentOrder(
            reference, content, tuple(numbers), sum(item.cents for item in transfers)
        )

    def batch(self, batch: int) -> Batch:
        """One batch; UnknownError ``BATCH_UNKNOWN``."""
        with self._work.read() as unit:
            return view(unit, unit.settlement.batch(batch))

    def batches(self, merchant: int | None = None) -> list[Batch]:
        """All batches, or those of a merchant, by id."""
        with self._work.read() as unit:
            return [view(unit, row) for row in unit.settlement.batches(merchant)]

    def _now(self) -> int:
        return self._clock.unix_ms() // 1000

    def _store(
        self, unit: Unit, municipality: int, merchant: int, period: Period, by: str, draft: Draft
    ) -> SettlementBatchRow:
        row = SettlementBatchRow(
            municipality_id=municipality, merchant_id=merchant, period_from=period.start,
            period_to=period.end, state=BatchState.CREATED, total_cents=draft.total_cents,
            created_by=by, created_at=self._now(),
        )  # fmt: skip
        row.lines = [
            BatchLineRow(
                posting_id=line.claim.posting, cents=line.claim.cents, state=line.state,
                reason=line.reason,
                replaces_id=line.claim.replaces if line.state is LineState.INCLUDED else None,
                return_id=line.claim.goods_return,
            )
            for line in draft.lines
        ]  # fmt: skip
        unit.add(row)
        book_batch(unit, row, draft.by_pot(), self._now())
        return row

    def _payment(self, unit: Unit, row: SettlementBatchRow) -> PaymentRow:
        merchant = unit.terminals.merchant(row.merchant_id)
        return PaymentRow(
            batch_id=row.id, end_to_end_id=_end_to_end_id(row), name=merchant.name,
            iban=checked_iban(merchant.iban), cents=row.total_cents, state=PaymentState.CREATED,
            created_at=self._now(),
        )  # fmt: skip

    def _mark_ordered(
        self, rows: Sequence[SettlementBatchRow], payments: Sequence[PaymentRow], reference: str
    ) -> int:
        if len({row.municipality_id for row in rows}) != 1:
            raise ConflictError("PAYMENTS_OF_TWO_TOWNS" if rows else "BATCH_EMPTY", postponed=0)
        if {payment.order_ref for payment in payments} == {reference}:
            return payments[0].ordered_at or 0
        if any(payment.order_ref for payment in payments):
            raise ConflictError("PAYMENTS_OF_TWO_ORDERS")
        now = self._now()
        for row, payment in zip(rows, payments, strict=True):
            row.state = advance(row.id, BatchState(row.state), BatchState.IN_PAYMENT)
            payment.state, payment.order_ref, payment.ordered_at = PaymentState.SENT, reference, now
        return now


def _find_same_period(
    unit: Unit, municipality: int, merchant: int, period: Period
) -> SettlementBatchRow | None:
    """The batch of exactly this period that has not failed; ConflictError when one of another
    overlaps it."""
    rows = unit.settlement.batches_of_period(municipality, merchant, period.start, period.end)
    for row in rows:
        if (row.period_from, row.period_to) == (period.start, period.end):
            return row
    if rows:
        raise ConflictError("PERIOD_OVERLAPS", batch=rows[0].id)
    return None


def _marks(unit: Unit, merchant: int) -> dict[int, int]:
    return {
        terminal.number: terminal.mark
        for terminal in unit.terminals.all()
        if terminal.merchant_id == merchant and terminal.state == TerminalState.ACTIVE
        and not terminal.training
    }  # fmt: skip


def _end_to_end_id(row: SettlementBatchRow) -> str:
    """From the batch's number and content: the same batch has the same id for ever."""
    included = (line for line in row.lines if line.state == LineState.INCLUDED)
    lines = (f"{line.posting_id}:{line.cents}" for line in included)
    content = f"{row.merchant_id} {row.period_from} {row.period_to} {' '.join(lines)}"
    return f"BOR-{row.id}-{sha256(content.encode()).hexdigest()[:12].upper()}"


def _payment_of(unit: Unit, row: SettlementBatchRow) -> PaymentRow:
    payments = unit.settlement.payments(row.id)
    if not payments or row.state not in {BatchState.APPROVED, BatchState.IN_PAYMENT}:
        raise ConflictError("BATCH_STATE", batch=row.id, state=row.state, wanted="in_payment")
    return payments[-1]


def _transfer(row: SettlementBatchRow, payment: PaymentRow) -> CreditTransfer:
    first, last = day_at(row.period_from), day_at(row.period_to - 1)
    text = f"Buoni spesa {first:%d/%m/%Y}-{last:%d/%m/%Y}, liquidazione {row.id}"
    return CreditTransfer(payment.end_to_end_id, payment.name, payment.iban, payment.cents, text)
