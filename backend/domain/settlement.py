"""What may be paid to a merchant, and the life of a settlement batch.

Rules of this version, in the order they are applied:

- A period can be settled once every active terminal of the merchant is complete past
  its end (the terminal mark of PROTOCOL 6). A lost terminal does not hold it up.
- Everything of the merchant's that happened before the period's end and is in no batch
  yet comes in, however late it arrived: proven, payable, its amount closed, and the
  purse's card mark at or past it (nothing is paid before the card's chain closes).
  The rest is *postponed*: listed with its reason, and looked at again next time.
- Voids are negative lines. Money never leaves its pot, so a pot (municipality,
  programme, funding source) in which voids outweigh sales waits as a whole. In one that
  owes less than its sales come to (a void that nobody has proven holds some back, an
  earlier payment was corrected) the latest sales wait.
- The money is ``in_payment`` from the moment the batch is drawn up, and goes back to
  ``payable`` when the payment fails or the approver turns the batch down; the next
  batch's line is linked to the failed one.
- Who reviews or approves a batch is never who drew it up.
- A return of goods is a negative line of its own, beside the line of its sale or later.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from backend.domain.ledger import Pot
from backend.domain.people import check_person, is_same
from backend.errors import BadInputError, ConflictError, NotPermittedError


class BatchState(StrEnum):
    """Where a batch stands; ``sent`` and ``under_review`` where its amount asks for a review."""

    CREATED = "created"
    """Drawn up: its lines are in no other batch, its money is in_payment."""
    SENT = "sent"
    """Handed to the municipality for review."""
    UNDER_REVIEW = "under_review"
    """A sample of its lines is being looked at (``backend.domain.review``)."""
    APPROVED = "approved"
    """As many others as its amount asks for agreed: a payment exists and may be ordered."""
    IN_PAYMENT = "in_payment"
    """The payment order was written for the bank."""
    PAID = "paid"
    """The bank says it was paid: the money is paid."""
    FAILED = "failed"
    """Turned down, or sent back by the bank: the money is payable again."""


_NEXT: Mapping[BatchState, frozenset[BatchState]] = {
    BatchState.CREATED: frozenset({BatchState.SENT, BatchState.APPROVED, BatchState.FAILED}),
    BatchState.SENT: frozenset({BatchState.UNDER_REVIEW, BatchState.APPROVED, BatchState.FAILED}),
    BatchState.UNDER_REVIEW: frozenset({BatchState.APPROVED, BatchState.FAILED}),
    BatchState.APPROVED: frozenset({BatchState.IN_PAYMENT, BatchState.FAILED}),
    BatchState.IN_PAYMENT: frozenset({BatchState.PAID, BatchState.FAILED}),
    BatchState.PAID: frozenset(),
    BatchState.FAILED: frozenset(),
}


def advance(batch: int, state: BatchState, to: BatchState) -> BatchState:
    """``to``; ConflictError ``BATCH_STATE`` when a batch in ``state`` cannot go there."""
    if to not in _NEXT[state]:
        raise ConflictError("BATCH_STATE", batch=batch, state=state, wanted=to)
    return to


def check_second_person(batch: int, created_by: str, approver: str) -> None:
    """NotPermittedError ``BATCH_SAME_PERSON`` when both are the same, however spelled;
    BadInputError ``PERSON_BAD``."""
    check_person(approver)
    if is_same(created_by, approver):
        raise NotPermittedError("BATCH_SAME_PERSON", batch=batch, person=approver)


@dataclass(frozen=True, slots=True)
class Period:
    """From inclusive, to exclusive, in Unix seconds; BadInputError ``PERIOD_EMPTY``."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise BadInputError("PERIOD_EMPTY")

    def overlaps(self, other: "Period") -> bool:
        """Whether a moment lies in both."""
        return self.start < other.end and other.start < self.end


def check_complete(period: Period, marks: Mapping[int, int], now: int) -> None:
    """ConflictError ``PERIOD_NOT_OVER``; ``PERIOD_OPEN`` naming the active terminals that are
    not complete past the end.

    ``marks``: the terminal mark, in Unix seconds, of each active terminal of the merchant.
    """
    if now < period.end:
        raise ConflictError("PERIOD_NOT_OVER")
    late = sorted(terminal for terminal, mark in marks.items() if mark < period.end)
    if late:
        raise ConflictError("PERIOD_OPEN", terminals=", ".join(map(str, late)))


class LineState(StrEnum):
    """What a batch does with a posting."""

    INCLUDED = "included"
    SUSPENDED = "suspended"
    REJECTED = "rejected"
    POSTPONED = "postponed"


class Postponement(StrEnum):
    """Why a line waits for another batch."""

    UNPROVEN = "LINE_UNPROVEN"
    """No card has proven it yet."""
    AMOUNT_OPEN = "LINE_AMOUNT_OPEN"
    """Proven, but the record before it is missing: the amount may still change."""
    CHAIN_OPEN = "LINE_CHAIN_OPEN"
    """An earlier operation of the same card is not posted yet."""
    SUSPENDED = "LINE_IN_SUSPENSE"
    """Its money waits for a proof or a person."""
    POT_NEGATIVE = "LINE_POT_NEGATIVE"
    """In its pot, voids outweigh sales: it is netted in a later batch."""
    POT_SHORT = "LINE_POT_SHORT"
    """Its pot owes less than its sales come to, and earlier ones come first."""
    WITH_SALE = "LINE_WITH_SALE"
    """A void or a return waits with its sale."""


class Held(StrEnum):
    """What a review does with a line that is not to be paid now."""

    POSTPONED = "LINE_POSTPONED"
    """The next batch looks at it again."""
    SUSPENDED = "LINE_SUSPENDED"
    """Its money waits in a case, for two people."""
    REJECTED = "LINE_REJECTED"
    """The same; the shop has been told that it is not paid, and why."""


HELD_STATES = {
    LineState.POSTPONED: Held.POSTPONED,
    LineState.SUSPENDED: Held.SUSPENDED,
    LineState.REJECTED: Held.REJECTED,
}


@dataclass(frozen=True, slots=True)
class ClaimPart:
    """Cents of a claim that lie in one account of ``pot``; negative for a void."""

    pot: Pot
    payable: bool
    cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A live posting of a merchant that is in no batch yet.

    ``entry`` is ``terminal:seq``; ``replaces`` the line of a failed batch it was in.
    ``final``: the claim window is over, or a person decided: it waits for no other record.
    ``goods_return``: the number of a return of goods of this posting; then it is below zero.
    """

    posting: int
    entry: str
    event_time: int
    proven: bool
    amount_open: bool
    chain_closed: bool
    parts: tuple[ClaimPart, ...]
    replaces: int | None = None
    final: bool = False
    goods_return: int | None = None

    @property
    def cents(self) -> int:
        """What the merchant is to get for it; below zero for a void.

        Also for one that only holds money back: as much lies in suspense for it meanwhile.
        """
        owed = sum(part.cents for part in self.parts if part.payable)
        return owed if owed < 0 else sum(part.cents for part in self.parts)

    def postponement(self) -> Postponement | None:
        """Why it cannot be paid yet, looked at by itself."""
        if not self.proven:
            return Postponement.UNPROVEN
        if not all(part.payable for part in self.parts):
            return Postponement.SUSPENDED
        if self.final:
            return None
        if self.amount_open:
            return Postponement.AMOUNT_OPEN
        return None if self.chain_closed else Postponement.CHAIN_OPEN


@dataclass(frozen=True, slots=True)
class Line:
    """A claim as a batch lists it; ``reason`` is empty when it is included."""

    claim: Claim
    state: LineState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A batch before it is stored."""

    lines: tuple[Line, ...]

    @property
    def included(self) -> tuple[Line, ...]:
        """What is paid."""
        return tuple(line for line in self.lines if line.state is LineState.INCLUDED)

    @property
    def total_cents(self) -> int:
        """What the merchant gets."""
        return sum(line.claim.cents for line in self.included)

    def by_pot(self) -> dict[Pot, int]:
        """Cents that each pot pays; never below zero."""
        return _net(line.claim for line in self.included)


def draw_up(claims: Iterable[Claim], payable: Mapping[Pot, int]) -> Draft:
    """Decides what is paid now; ConflictError ``BATCH_EMPTY`` when nothing is.

    ``payable``: what the ledger owes the merchant from each pot. A pot never pays more
    than that, whatever its claims add up to: an earlier payment may have been corrected.
    """
    ordered = sorted(claims, key=lambda claim: (claim.event_time, claim.posting))
    ready = [claim for claim in ordered if claim.postponement() is None]
    waiting = _waiting(ready, payable)
    draft = Draft(tuple(_line(claim, waiting) for claim in ordered))
    if draft.total_cents <= 0:
        raise ConflictError("BATCH_EMPTY", postponed=len(draft.lines))
    return draft


def _waiting(ready: list[Claim], payable: Mapping[Pot, int]) -> dict[Claim, Postponement]:
    """Claims that wait for others, until what remains of each pot lies between 0 and ``payable``.

    A claim over two pots waits with either, which may push the other below zero.
    """
    remaining, waiting = ready, dict[Claim, Postponement]()
    while True:
        net = _net(remaining)
        owing = {pot for pot, cents in net.items() if cents < 0}
        found = [claim for claim in remaining if any(part.pot in owing for part in claim.parts)]
        why = Postponement.POT_NEGATIVE
        if not owing:
            found, why = _latest(remaining, net, payable), Postponement.POT_SHORT
        if not found:
            return waiting
        waiting |= dict.fromkeys(found, why)
        remaining = [claim for claim in remaining if claim not in waiting]


def _latest(claims: list[Claim], net: Mapping[Pot, int], payable: Mapping[Pot, int]) -> list[Claim]:
    """The latest sales, as many as bring every pot down to what the ledger owes."""
    over = {pot: cents - payable.get(pot, 0) for pot, cents in net.items()}
    latest: list[Claim] = []
    for claim in reversed(claims):
        if any(part.cents > 0 and over[part.pot] > 0 for part in claim.parts):
            latest.append(claim)
            for part in claim.parts:
                over[part.pot] -= part.cents
    return latest


def _line(claim: Claim, waiting: Mapping[Claim, Postponement]) -> Line:
    reason = claim.postponement() or waiting.get(claim)
    if reason is None:
        return Line(claim, LineState.INCLUDED)
    return Line(claim, LineState.POSTPONED, reason)


def _net(claims: Iterable[Claim]) -> dict[Pot, int]:
    sums: dict[Pot, int] = {}
    for claim in claims:
        for part in claim.parts:
            sums[part.pot] = sums.get(part.pot, 0) + part.cents
    return sums
