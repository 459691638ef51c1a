"""From the durable intent on: only the answer's MAC or a fresh read decides (PROTOCOL 5)."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from cardlib.codec.pin import Pin
from cardlib.dialogues.sale import CommitOutcome
from cardlib.drivers.purse_card import PurseCard
from cardlib.errors import CardlibError
from cardlib.keys.module import SecurityModule
from cardlib.ports import Clock
from cardlib.wire.entry import Entry
from cardlib.wire.entry_body import AttestedRead, How, NotAppliedCode, Proof
from terminal.errors import SaleRefusedError
from terminal.journal.journal import Journal
from terminal.outcome import (
    PendingDebit,
    attest,
    write_committed,
    write_not_applied,
    write_unresolved,
)
from terminal.recovery.flow import PARKED, Recovery
from terminal.recovery.table import Conclusion, Verdict
from terminal.sale.states import Event, State, Step, after

RETRY_WITHIN_MS = 120_000
RING_SIZE = 20
TORN_MAX = 2


@dataclass(frozen=True, slots=True)
class SaleResult:
    """Where the sale stands now. ``closing`` is the entry that closed the intent, if any.

    ``conclusion`` is what a fresh read said, where one was needed; ``may_retry``
    whether the same debit can be sent again now.
    """

    state: State
    intent: Entry
    closing: Entry | None = None
    conclusion: Conclusion | None = None
    may_retry: bool = False

    @property
    def goods_are_due(self) -> bool:
        """Whether the customer has paid."""
        return self.state is State.CLOSED


class Debit:
    """One durable intent and the card it is meant for; starts in INTENT."""

    def __init__(
        self,
        card: PurseCard,
        journal: Journal,
        module: SecurityModule,
        clock: Clock,
        intent: Entry,
        tell: Callable[[Step], None],
    ) -> None:
        self.state = State.INTENT
        self._card = card
        self._journal = journal
        self._clock = clock
        self._tell = tell
        self._pending = PendingDebit.of(intent, module)
        self._recovery = Recovery(journal, module)
        self._how = How.DIRECT

    def send(self) -> SaleResult:
        """The first UPDATE; when it could not even be sent, ``not_applied`` and the error."""
        try:
            return self._send()
        except CardlibError:
            if self.state is State.INTENT:
                write_not_applied(self._journal, self._pending, NotAppliedCode.NOT_SENT, None)
                self._move(Event.NOT_SENT)
            raise

    def resolve(self, card: PurseCard | None = None) -> SaleResult:
        """A fresh read, and what follows from it; ``card`` where it was opened anew."""
        self._require(State.UNKNOWN, State.NOT_APPLIED)
        self._card = card or self._card
        self._tell(Step.RECOVERY)
        conclusion = self._recovery.look(self._card, self._pending)
        match conclusion.verdict:
            case Verdict.NOT_APPLIED:
                return self._not_applied(conclusion)
            case Verdict.COMMITTED | Verdict.UNRESOLVED:
                self._tell(Step.ENTRY)
                closing = self._recovery.write(self._card, self._pending, conclusion)
                committed = conclusion.verdict is Verdict.COMMITTED
                self._move(Event.READ_COMMITTED if committed else Event.READ_UNRESOLVED)
                return self._result(closing, conclusion)
            case _:
                self._move(Event.READ_NOTHING)
                return self._result(None, conclusion)

    def retry(self, pin: Pin | None) -> SaleResult:
        """The same record bytes again, after another fresh read and the PIN.

        Whatever that read shows instead is concluded as in :meth:`resolve`. A wrong PIN
        raises and leaves the debit where it is.
        """
        if pin is None:
            return self._retry(Step.PIN, None)
        return self._retry(Step.PIN, lambda: self._card.verify_pin(pin))

    def retry_on_pad(self) -> SaleResult:
        """As :meth:`retry`, with the PIN typed on the reader."""
        return self._retry(Step.PIN_PAD, self._card.verify_pin_on_pad)

    def _retry(self, step: Step, verify: Callable[[], None] | None) -> SaleResult:
        self._require(State.NOT_APPLIED)
        if self._pending.intent.pin_asked and verify is None:
            raise SaleRefusedError("PIN_NEEDED")
        result = self.resolve()
        if not result.may_retry:
            return result
        if verify is not None:
            self._tell(step)
            verify()
        self._how = How.RETRY
        self._move(Event.RETRIED)
        try:
            return self._send()
        except CardlibError:
            # This attempt was not sent, but an earlier one was: only a read can tell.
            if self.state is State.INTENT:
                self._move(Event.UNPROVEN)
            raise

    def give_up(self) -> Entry:
        """The customer declines the retry."""
        self._require(State.NOT_APPLIED)
        code = NotAppliedCode.DECLINED
        entry = write_not_applied(self._journal, self._pending, code, self._pending.prior)
        self._move(Event.GIVEN_UP)
        return entry

    def park(self) -> Entry:
        """The customer has gone; the case waits for the card or the backend."""
        self._require(State.UNKNOWN)
        entry = write_unresolved(self._journal, self._pending, PARKED)
        self._move(Event.PARKED)
        return entry

    def prove(self, counters: list[int]) -> Entry | None:
        """Attested reads of the records ``counters``, as far as card and disk allow.

        The sale is closed by now and goods are due: the backend will ask again.
        """
        with suppress(CardlibError):
            found = [self._attested(ctr) for ctr in counters]
            reads = tuple(read for read in found if read is not None)
            if reads:
                core = self._pending.intent.info_core
                return self._journal.append(Proof(info_core=core, reads=reads))
        return None

    def _attested(self, ctr: int) -> AttestedRead | None:
        """The record ``ctr``, looked for a little further down where torn ones lie above it."""
        place = self._pending.ctr - ctr + 1
        for index in range(max(place, 1), min(place + TORN_MAX, RING_SIZE) + 1):
            read = self._card.attest(index)
            if int.from_bytes(read.record[1:4], "big") == ctr:
                return read
        return None

    def _send(self) -> SaleResult:
        self._tell(Step.DEBIT)
        outcome = self._card.debit(self._pending.entry.complete)
        if outcome is not CommitOutcome.COMMITTED:
            self._move(Event.UNPROVEN)
            return self._result()
        self._move(Event.PROVEN)
        self._tell(Step.PROOF)
        read = attest(self._card, 1, self._pending.record)
        self._tell(Step.ENTRY)
        closing = write_committed(self._journal, self._pending, read, self._how)
        self._move(Event.ENTRY_DURABLE)
        return self._result(closing)

    def _not_applied(self, conclusion: Conclusion) -> SaleResult:
        if self.state is State.UNKNOWN:
            self._move(Event.READ_NOT_APPLIED)
        if conclusion.retry and self._in_time():
            return self._result(None, conclusion, may_retry=True)
        code = NotAppliedCode.TOO_LATE if conclusion.retry else NotAppliedCode.READ
        closing = write_not_applied(self._journal, self._pending, code, conclusion.newest)
        self._move(Event.GIVEN_UP)
        return self._result(closing, conclusion)

    def _in_time(self) -> bool:
        header = self._pending.entry.header
        age = self._clock.monotonic_ms() - header.monotonic_ms
        return header.boot_id == self._clock.boot_id and 0 <= age < RETRY_WITHIN_MS

    def _result(
        self,
        closing: Entry | None = None,
        conclusion: Conclusion | None = None,
        *,
        may_retry: bool = False,
    ) -> SaleResult:
        return SaleResult(self.state, self._pending.entry, closing, conclusion, may_retry)

    def _require(self, *states: State) -> None:
        if self.state not in states:
            raise SaleRefusedError("SALE_STEP_WRONG", state=self.state.value)

    def _move(self, event: Event) -> None:
        self.state = after(self.state, event)
