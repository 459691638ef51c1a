"""Recovery with a card: at the next start, on the next presentation, and within a sale.

::

    recovery = Recovery(journal, module)
    recovery.waiting()              # what is open: ask for that card, or park it
    recovery.settle(card)           # the card is here: read it freshly and conclude
    recovery.park()                 # the customer has gone: the next one is served
"""

from dataclasses import dataclass, replace

from cardlib.codec.purse import Info
from cardlib.drivers.purse_card import PurseCard
from cardlib.errors import (
    AuthenticityError,
    CardAnswerError,
    CardlibError,
    MalformedError,
    PurseRefusedError,
)
from cardlib.keys.module import SecurityModule
from cardlib.wire.entry import Entry
from cardlib.wire.entry_body import AttestedRead, How, NotAppliedCode, Proof, Unresolved
from cardlib.wire.ids import PurseId, Seq
from terminal.errors import UnsettledError
from terminal.journal.derived import IntentState
from terminal.journal.journal import Journal
from terminal.journal.views import UnsettledIntent
from terminal.outcome import (
    PendingDebit,
    attest,
    write_committed,
    write_not_applied,
    write_unresolved,
)
from terminal.recovery.table import Conclusion, Evidence, Question, Verdict, conclude

PARKED = "PARKED"
CTR_ABOVE_ALL = 0x1000000


@dataclass(frozen=True, slots=True)
class Settled:
    """What recovery found out about one intent.

    ``entry`` is what was written, None when nothing was (no evidence, or parked already).
    """

    seq: Seq
    conclusion: Conclusion
    debit: PendingDebit
    entry: Entry | None = None


class Recovery:
    """Settles the open and parked intents of one journal."""

    def __init__(self, journal: Journal, module: SecurityModule) -> None:
        self._journal = journal
        self._module = module

    def waiting(self) -> list[UnsettledIntent]:
        """Open and parked intents, oldest first."""
        return self._journal.views.unsettled()

    def park(self, code: str = PARKED) -> Entry:
        """Sets the open intent aside; UnsettledError ``INTENT_NONE`` when there is none."""
        waiting = self._journal.views.open_intent()
        if waiting is None:
            raise UnsettledError("INTENT_NONE")
        return write_unresolved(self._journal, self._pending(waiting.seq), code)

    def settle(self, card: PurseCard) -> list[Settled]:
        """Reads the card and settles every intent that waits for its purse.

        UnsettledError ``RECOVERY_WRONG_CARD`` when the open intent is another purse's;
        an empty list when nothing waits for this purse. Errors of the card pass.
        """
        try:
            waiting = self._journal.views.open_intent()
            purse = self._purse_concerned(card, waiting)
            if waiting is not None and waiting.purse != purse:
                raise UnsettledError("RECOVERY_WRONG_CARD", seq=waiting.seq)
            found = self._journal.views.unsettled(purse) if purse else []
            return [self._settle(card, item) for item in found]
        finally:
            card.end()

    def look(self, card: PurseCard, debit: PendingDebit) -> Conclusion:
        """A fresh read, judged by the table; nothing is written. Errors of the card pass.

        A bad MAC or an unexpected answer is no evidence (the first row). Of a card with
        several purses the one is looked for that the debit was of. A card whose INFO core has
        changed since is not debited again by the same intent.
        """
        question = Question(debit.purse, debit.ctr, debit.hash, debit.record, debit.prior)
        looked_at: set[PurseId] = set()
        while True:
            evidence = _evidence(card, debit.ctr)
            conclusion = conclude(question, evidence)
            if evidence is None or evidence.purse in looked_at:
                return conclusion
            if evidence.purse == debit.purse:
                same = evidence.info_core == debit.intent.info_core
                return replace(conclusion, retry=conclusion.retry and same)
            looked_at.add(evidence.purse)
            card.next_purse()

    def write(self, card: PurseCard, debit: PendingDebit, conclusion: Conclusion) -> Entry | None:
        """Attests and writes what follows from a conclusion; None when nothing does."""
        match conclusion.verdict:
            case Verdict.COMMITTED:
                index = conclusion.attest[0]
                read = attest(card, index, debit.record)
                return write_committed(self._journal, debit, read, How.RECOVERED, index)
            case Verdict.NOT_APPLIED:
                code = NotAppliedCode.READ
                return write_not_applied(self._journal, debit, code, conclusion.newest)
            case Verdict.UNRESOLVED:
                return self._set_aside(card, debit, conclusion)
            case _:
                return None

    def _purse_concerned(self, card: PurseCard, waiting: UnsettledIntent | None) -> PurseId | None:
        """The purse on the card, of several, for which something waits; else the last looked at."""
        looked_at: set[PurseId] = set()
        while True:
            purse = _purse_in(card)
            if purse is None or purse in looked_at or self._concerns(purse, waiting):
                return purse
            looked_at.add(purse)
            card.next_purse()

    def _concerns(self, purse: PurseId, waiting: UnsettledIntent | None) -> bool:
        if waiting is not None:
            return waiting.purse == purse
        return bool(self._journal.views.unsettled(purse))

    def _settle(self, card: PurseCard, item: UnsettledIntent) -> Settled:
        debit = self._pending(item.seq)
        conclusion = self.look(card, debit)
        return Settled(item.seq, conclusion, debit, self.write(card, debit, conclusion))

    def _set_aside(
        self, card: PurseCard, debit: PendingDebit, conclusion: Conclusion
    ) -> Entry | None:
        seq = debit.entry.header.seq
        if self._journal.views.intent_state(seq) is not IntentState.OPEN:
            return None
        unresolved = Unresolved(intent_seq=seq, code=conclusion.code)
        reads = _attest_all(card, conclusion.attest)
        if not reads:
            return self._journal.append(unresolved)
        return self._journal.append(
            Proof(info_core=debit.intent.info_core, reads=reads), unresolved
        )

    def _pending(self, seq: Seq) -> PendingDebit:
        return PendingDebit.of(self._journal.views.entry(seq).decode(), self._module)


def _purse_in(card: PurseCard) -> PurseId | None:
    """The purse of the card, None when it has none that this till serves."""
    try:
        info, _ = card.read_back(CTR_ABOVE_ALL)
    except PurseRefusedError:
        return None
    return _purse_id(info)


def _evidence(card: PurseCard, ctr: int) -> Evidence | None:
    try:
        info, readings = card.read_back(ctr)
    except (AuthenticityError, CardAnswerError, MalformedError):
        return None
    return Evidence(_purse_id(info), tuple(readings), info.core)


def _purse_id(info: Info) -> PurseId:
    return PurseId(info.issuer, info.purse)


def _attest_all(card: PurseCard, indices: tuple[int, ...]) -> tuple[AttestedRead, ...]:
    reads: list[AttestedRead] = []
    for index in indices:
        try:
            reads.append(card.attest(index))
        except CardlibError:
            continue
    return tuple(reads)
