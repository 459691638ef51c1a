"""Defects in what bounds a card and a till: days, blocks, watermarks, tries, numbers, replays."""

from collections.abc import Callable
from typing import Any

from backend.domain.expiry import ExpiryRule
from backend.domain.outcomes import Judged
from backend.services.card_sessions import sessions
from backend.services.card_sessions.replay import SessionRandomness
from backend.services.ingest.batches import _Intake
from backend.services.settlement import outcomes
from backend.services.terminals import bundles
from backend.services.wallets import lost_cards, replacements
from cardlib.codec.purse import Grant
from cardlib.wire.ids import Seq
from simulator.card.commands import pins
from terminal.journal.journal import Journal
from terminal.journal.views import Head
from terminal.risk import Risk
from terminal.sale import offer
from terminal.sale import session as sale_session
from terminal.trust import BundleTrust
from tests.town.mutations.defect import Defect, Site

Note = Callable[[], None]
HOLDER = "MARIA ROSSI"


def _never(real: Any, note: Note) -> Any:
    """No instead of what may be yes."""

    def defective(*arguments: Any) -> bool:
        if real(*arguments):
            note()
        return False

    return defective


def _nothing(_real: Any, note: Note) -> Any:
    """Does not do it."""

    def defective(*_arguments: Any) -> None:
        note()

    return defective


# law 1: money that is kept back -----------------------------------------------------------------


def _no_reserve(real: Any, note: Note) -> Any:
    def defective(*arguments: Any) -> int:
        if real(*arguments):
            note()
        return 0

    return defective


def _last_day_alone(real: Any, note: Note) -> Any:
    """The newest day that is over at all."""

    def defective(self: ExpiryRule, now: int) -> int:
        note()
        return int(real(ExpiryRule(0), now))

    return defective


KEPT_BACK = (
    Defect(
        name="reserve-forgotten", law=1,
        does="a new card gets all of the lost one's money, whatever shops have yet to tell",
        sites=(Site(replacements, "reserve", _no_reserve),), town="people",
    ),
    Defect(
        name="window-ignored", law=1,
        does="the rest of a wallet is given up on the day after its last one",
        sites=(Site(ExpiryRule, "last_day_over", _last_day_alone),), town="people",
    ),
)  # fmt: skip


# law 2: the card decides ------------------------------------------------------------------------


def _uncounted(real: Any, note: Note) -> Any:
    def defective(chip: Any, pin: Any, *rest: Any) -> Any:
        left = pin.tries_left
        try:
            return real(chip, pin, *rest)
        finally:
            if pin.tries_left < left:
                note()
                pin.tries_left = left

    return defective


DECIDES = (
    Defect(
        name="tries-uncounted", law=2,
        does="a chip does not count the wrong PINs",
        sites=(Site(pins, "_present", _uncounted),), town="people",
    ),
)  # fmt: skip


# law 3: limits ----------------------------------------------------------------------------------


def _ever_valid(real: Any, note: Note) -> Any:
    def defective(self: Grant, day: int) -> bool:
        if not real(self, day):
            note()
        return True

    return defective


def _no_day(real: Any, note: Note) -> Any:
    def defective(*arguments: Any) -> int:
        if real(*arguments):
            note()
        return 0

    return defective


def _endless(real: Any, note: Note) -> Any:
    def defective(self: Risk) -> int | None:
        if real(self) == 0:
            note()
        return None

    return defective


class _Ever(int):
    """A time that is never over; says when the real one is."""

    note: Note

    def __gt__(self, other: int) -> bool:
        if other >= int(self):
            self.note()
        return True


def _marks_wait(real: Any, note: Note) -> Any:
    ever = _Ever(real)
    ever.note = note
    return ever


LIMITS = (
    Defect(
        name="expired-pays", law=3,
        does="a wallet pays after its last day",
        sites=(Site(Grant, "valid_on", _ever_valid),), town="people",
    ),
    Defect(
        name="day-limit-forgotten", law=3,
        does="a till does not count what the card has spent today",
        sites=(Site(offer, "spent_today", _no_day),), town="cash",
    ),
    Defect(
        name="offline-for-ever", law=3,
        does="a till sells however long it has heard nothing of the backend",
        sites=(Site(Risk, "days_left", _endless),), town="people",
    ),
    Defect(
        name="hotlist-unread", law=3,
        does="a till does not look at the hotlist",
        sites=(Site(BundleTrust, "hotlisted", _never),), town="people",
    ),
    Defect(
        name="block-untold", law=3,
        does="a card that is blocked does not come onto the hotlist",
        sites=(Site(lost_cards, "hotlist", _nothing),), town="people",
    ),
    Defect(
        name="marks-wait", law=3,
        does="a new watermark waits for a bundle that is due for another reason",
        sites=(Site(bundles, "LAG_S", _marks_wait),), town="marks",
    ),
)  # fmt: skip


# law 5: the journal -----------------------------------------------------------------------------


def _number_skipped(real: Any, note: Note) -> Any:
    """A number that a torn append had taken is not used again."""

    def defective(self: Journal, body: Any, head: Head, batch: int) -> Any:
        known = self.views.clock_reference()
        if known is not None and known.boot_id != self._author.clock.boot_id:
            note()
            head = Head(Seq(head.seq + 1), head.hash)
        return real(self, body, head, batch)

    return defective


CHAIN = (
    Defect(
        name="number-skipped", law=5,
        does="after a restart of the machine a number is left out",
        sites=(Site(Journal, "_sign", _number_skipped),),
    ),
    Defect(
        name="fork-silent", law=5,
        does="a second history of a journal raises no alarm",
        sites=(Site(_Intake, "_alarm", _nothing),), town="rogues",
    ),
)  # fmt: skip


# law 6: once only -------------------------------------------------------------------------------


def _step_forgotten(real: Any, note: Note) -> Any:
    """What was answered before is not looked for: a step that is over is refused."""

    def defective(row: Any, steps: Any, terminal: int, answers: Any) -> Any:
        if 1 <= answers.step <= len(steps):
            note()
        return real(row, (), terminal, answers)

    return defective


def _all_new(real: Any, note: Note) -> Any:
    def defective(found: Any, payments: Any, booked: Any) -> Judged:
        judged: Judged = real(found, payments, booked)
        if not judged.known:
            return judged
        note()
        return Judged(tuple(found), 0, ())

    return defective


ONCE = (
    Defect(
        name="step-forgotten", law=6,
        does="a step of a card session whose answer was lost is not answered again",
        sites=(Site(sessions, "_known_reply", _step_forgotten),), town="desk",
    ),
    Defect(
        name="outcome-again", law=6,
        does="what the bank says a second time is booked a second time",
        sites=(Site(outcomes, "judge", _all_new),), town="people",
    ),
)  # fmt: skip


# law 8: names -----------------------------------------------------------------------------------


def _refusal_named(real: Any, note: Note) -> Any:
    def defective(*, code: str) -> Any:
        note()
        return real(code=f"{code} {HOLDER}")

    return defective


NAMES = (
    Defect(
        name="refusal-named", law=8,
        does="the entry of a refused card says who was refused",
        sites=(Site(sale_session, "Declined", _refusal_named),), town="boards",
    ),
)  # fmt: skip


# law 12: replays --------------------------------------------------------------------------------


def _known_randoms(_real: Any, note: Note) -> Any:
    def defective(_self: SessionRandomness, count: int) -> bytes:
        note()
        return bytes(count)

    return defective


REPLAYS = (
    Defect(
        name="session-randoms", law=12,
        does="each card session asks the card with the same randoms",
        sites=(Site(SessionRandomness, "bytes", _known_randoms),), town="desk",
    ),
)  # fmt: skip

BOUNDS = (*KEPT_BACK, *DECIDES, *LIMITS, *CHAIN, *ONCE, *NAMES, *REPLAYS)
