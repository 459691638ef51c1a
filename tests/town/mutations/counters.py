"""Defects in what a till believes of a card, and of an outcome that it does not know."""

from collections.abc import Callable
from typing import Any

from cardlib.codec.status import Status
from cardlib.dialogues import purse_state
from cardlib.dialogues.sale import CommitOutcome
from cardlib.drivers.file_card import FileCard
from cardlib.errors import AuthenticityError
from cardlib.keys import secure_messaging
from cardlib.keys.soft_module import RANDOM_SIZE, SoftModule
from cardlib.wire.entry_body import NotAppliedCode
from terminal.errors import UnsettledError
from terminal.journal.journal import Journal
from terminal.outcome import write_not_applied
from terminal.recovery import flow
from terminal.recovery.table import Conclusion, Verdict
from terminal.risk import Risk
from terminal.sale import debit as debit_module
from terminal.sale.debit import Debit
from terminal.sale.states import Event, State
from tests.town.mutations.defect import Defect, Site

Note = Callable[[], None]
HOLDER = "MARIA ROSSI"


# law 2 and 12: what a till believes -----------------------------------------------------------


def _status_believed(real: Any, note: Note) -> Any:
    def defective(suite: Any, key: Any, random: Any, command: Any, response: Any) -> bool:
        good = bool(real(suite, key, random, command, response))
        if not good and response.status == Status.OK:
            note()
        return good or response.status == Status.OK

    return defective


def _mac_unchecked(real: Any, note: Note) -> Any:
    def defective(*arguments: Any) -> bytes:
        try:
            return bytes(real(*arguments))
        except AuthenticityError:
            note()
            response, size = arguments[4], arguments[5]
            return secure_messaging.split_record_answer(response, size)[0]

    return defective


def _same_random(real: Any, note: Note) -> Any:
    def defective(self: SoftModule, info: Any, challenge: Any) -> Any:
        note()
        session = real(self, info, challenge)
        session.random = bytes(RANDOM_SIZE)
        return session

    return defective


def _grant_unsigned(real: Any, note: Note) -> Any:
    def defective(reading: Any, info: Any, trust: Any) -> Any:
        found = real(reading, info, trust)
        if found is None and reading.signed is not None:
            note()
            return reading.signed
        return found

    return defective


BELIEF = (
    Defect(
        name="status-believed", law=2,
        does="goods are given on 9000, whether its MAC is good or not",
        sites=(Site(secure_messaging, "write_confirmed", _status_believed),), town="boards",
    ),
    Defect(
        name="grant-unsigned", law=3,
        does="the till does not look at a grant's signature",
        sites=(Site(purse_state, "genuine_grant", _grant_unsigned),), town="boards",
    ),
    Defect(
        name="mac-unchecked", law=12,
        does="what a card answers is read without its MAC",
        sites=(Site(secure_messaging, "open_record_answer", _mac_unchecked),), town="boards",
    ),
    Defect(
        name="same-random", law=12,
        does="the module gives every card the same random",
        sites=(Site(SoftModule, "open", _same_random),), town="boards",
    ),
)  # fmt: skip


# law 4: outcome unknown -----------------------------------------------------------------------


def _error_is_no(real: Any, note: Note) -> Any:
    def defective(self: Debit) -> Any:
        result = real(self)
        if self.state is not State.UNKNOWN:
            return result
        note()
        self._move(Event.READ_NOT_APPLIED)
        code, pending = NotAppliedCode.READ, self._pending
        closing = write_not_applied(self._journal, pending, code, pending.prior)
        self._move(Event.GIVEN_UP)
        return self._result(closing)

    return defective


def _silence_is_yes(real: Any, note: Note) -> Any:
    def defective(self: FileCard, intent: bytes) -> CommitOutcome:
        outcome = real(self, intent)
        if outcome is not CommitOutcome.COMMITTED:
            note()
        return CommitOutcome.COMMITTED

    return defective


def _unreadable_is_no(real: Any, note: Note) -> Any:
    def defective(question: Any, evidence: Any) -> Conclusion:
        if evidence is None:
            note()
            return Conclusion(
                Verdict.NOT_APPLIED, "RECOVERY_NOT_APPLIED", newest=question.prior
            )  # fmt: skip
        conclusion: Conclusion = real(question, evidence)
        return conclusion

    return defective


def _parked_is_no(_real: Any, note: Note) -> Any:
    def defective(journal: Journal, debit: Any, _code: str) -> Any:
        note()
        return write_not_applied(journal, debit, NotAppliedCode.DECLINED, debit.prior)

    return defective


def _waiting_served(real: Any, note: Note) -> Any:
    def defective(self: Risk, state: Any) -> None:
        try:
            real(self, state)
        except UnsettledError:
            note()

    return defective


UNKNOWN = (
    Defect(
        name="error-is-no", law=4,
        does="a debit without a good answer is closed as not applied",
        sites=(Site(Debit, "_send", _error_is_no),),
    ),
    Defect(
        name="silence-is-yes", law=4,
        does="a debit without a good answer is taken for paid",
        sites=(Site(FileCard, "debit", _silence_is_yes),),
    ),
    Defect(
        name="unreadable-is-no", law=4,
        does="a card that cannot be read afresh counts as not debited",
        sites=(Site(flow, "conclude", _unreadable_is_no),),
        town="boards",
    ),
    Defect(
        name="parked-is-no", law=4,
        does="a case that the cashier sets aside is closed as not applied",
        sites=(
            Site(flow, "write_unresolved", _parked_is_no),
            Site(debit_module, "write_unresolved", _parked_is_no),
        ),
        town="boards",
    ),
    Defect(
        name="waiting-served", law=4,
        does="a purse whose last sale is not settled is served",
        sites=(Site(Risk, "check_purse", _waiting_served),),
        town="boards",
    ),
)  # fmt: skip

COUNTERS = (*BELIEF, *UNKNOWN)
