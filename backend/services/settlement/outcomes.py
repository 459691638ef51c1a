"""Imports what the treasurer says became of payments; once only, as a whole or not at all.

An imported file is kept as received. The same bytes again change nothing. A file in
which one row cannot be accepted changes nothing either: every such row is told.
"""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from backend.adapters import outcome_csv
from backend.adapters.tables.settlement import (
    OutcomeFileRow,
    OutcomeRow,
    PaymentRow,
    SettlementBatchRow,
)
from backend.adapters.unit_of_work import Unit
from backend.domain.ledger import AccountKind, Ref, RefKind, TransferKind
from backend.domain.outcomes import (
    Judged,
    KnownPayment,
    Outcome,
    OutcomeState,
    PaymentState,
    RowFault,
    judge,
)
from backend.domain.people import check_person
from backend.domain.settlement import BatchState, advance
from backend.services.settlement.money import fail_batch, move_batch
from backend.services.unit_of_work import Work
from cardlib.calendar import day_end
from cardlib.ports import Clock


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did; with ``faults`` it did nothing. ``known``: rows said before."""

    new: tuple[Outcome, ...]
    known: int
    faults: tuple[RowFault, ...]

    @property
    def accepted(self) -> bool:
        """Whether the file is in the books now."""
        return not self.faults


class OutcomeService:
    """The use case; who imports is named by the caller."""

    def __init__(self, work: Work, clock: Clock) -> None:
        self._work = work
        self._clock = clock

    def import_file(self, name: str, content: bytes, by: str) -> ImportReport:
        """Books the outcomes of a file; BadInputError when it is no such file at all."""
        check_person(by)
        read = outcome_csv.read(content)
        with self._work.begin() as unit:
            if unit.settlement.find_outcome_file(sha256(content).digest()):
                return ImportReport((), len(read.outcomes), ())
            judged = _judge(unit, read.outcomes)
            faults = tuple(sorted([*read.faults, *judged.faults], key=lambda fault: fault.line))
            if faults:
                return ImportReport((), judged.known, faults)
            file = self._keep(unit, name, content, by)
            for outcome in judged.new:
                self._book(unit, file, outcome)
            unit.commit()
            return ImportReport(judged.new, judged.known, ())

    def _now(self) -> int:
        return self._clock.unix_ms() // 1000

    def _keep(self, unit: Unit, name: str, content: bytes, by: str) -> OutcomeFileRow:
        file = OutcomeFileRow(
            sha256=sha256(content).digest(), name=name, content=content,
            imported_at=self._now(), imported_by=by,
        )  # fmt: skip
        unit.add(file)
        return file

    def _book(self, unit: Unit, file: OutcomeFileRow, outcome: Outcome) -> None:
        payment = unit.settlement.find_payment(outcome.end_to_end_id)
        assert payment is not None  # judged against it, in this very transaction
        unit.add(
            OutcomeRow(
                reference=outcome.reference, file_id=file.id, payment_id=payment.id,
                state=outcome.state, reason=outcome.reason, cents=outcome.cents,
                booked_on=outcome.booked_on,
            )
        )  # fmt: skip
        payment.state, payment.outcome_ref = outcome.state, outcome.reference
        self._settle(unit, unit.settlement.batch(payment.batch_id), outcome)

    def _settle(self, unit: Unit, batch: SettlementBatchRow, outcome: Outcome) -> None:
        ref = Ref(RefKind.OUTCOME, outcome.reference)
        event_time = day_end(outcome.booked_on - timedelta(days=1))
        if outcome.state is OutcomeState.FAILED:
            fail_batch(unit, batch, ref, event_time, self._now())
            return
        batch.state = advance(batch.id, BatchState(batch.state), BatchState.PAID)
        move_batch(unit, batch, AccountKind.PAID, TransferKind.PAID, ref, event_time, self._now())


def _judge(unit: Unit, outcomes: tuple[Outcome, ...]) -> Judged:
    payments: dict[str, KnownPayment] = {}
    booked: dict[str, Outcome] = {}
    for outcome in outcomes:
        payment = unit.settlement.find_payment(outcome.end_to_end_id)
        if payment is not None:
            known = KnownPayment(payment.cents, PaymentState(payment.state))
            payments[outcome.end_to_end_id] = known
        row = unit.settlement.find_outcome(outcome.reference)
        if row is not None:
            booked[outcome.reference] = _outcome_of(row, unit.settlement.payment(row.payment_id))
    return judge(outcomes, payments, booked)


def _outcome_of(row: OutcomeRow, payment: PaymentRow) -> Outcome:
    return Outcome(
        line=0, end_to_end_id=payment.end_to_end_id, cents=row.cents,
        state=OutcomeState(row.state), booked_on=row.booked_on, reference=row.reference,
        reason=row.reason,
    )  # fmt: skip
