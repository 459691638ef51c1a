"""What the bank says became of payments, and whether that can be believed.

A file is imported as a whole or not at all: each row that cannot be accepted is told
with its line and reason. A row that says again what is already known changes nothing;
the same reference with other content is refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum


class OutcomeState(StrEnum):
    """What became of a payment."""

    PAID = "paid"
    FAILED = "failed"


class PaymentState(StrEnum):
    """Where a payment stands."""

    CREATED = "created"
    """Approved, in no payment order yet."""
    SENT = "sent"
    """In a payment order for the bank."""
    PAID = "paid"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One row: ``reference`` makes it unique, ``line`` is its place in the file."""

    line: int
    end_to_end_id: str
    cents: int
    state: OutcomeState
    booked_on: date
    reference: str
    reason: str = ""

    def says_the_same(self, other: "Outcome") -> bool:
        """Whether both state the same fact, wherever they stand."""
        return replace(self, line=other.line) == other


@dataclass(frozen=True, slots=True)
class RowFault:
    """Why a row cannot be accepted: a code of the catalogue, and the text it is about."""

    line: int
    code: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class KnownPayment:
    """What our books say of a payment."""

    cents: int
    state: PaymentState


@dataclass(frozen=True, slots=True)
class Judged:
    """Outcomes to be booked, and the rows that forbid it; one of the two is empty."""

    new: tuple[Outcome, ...]
    known: int
    faults: tuple[RowFault, ...]


def judge(
    outcomes: Iterable[Outcome],
    payments: Mapping[str, KnownPayment],
    booked: Mapping[str, Outcome],
) -> Judged:
    """Compares a file with our payments (by end-to-end id) and booked outcomes (by reference)."""
    seen = dict(booked)
    settled = {end_to_end_id: payment.state for end_to_end_id, payment in payments.items()}
    new: list[Outcome] = []
    faults: list[RowFault] = []
    known = 0
    for outcome in outcomes:
        before = seen.get(outcome.reference)
        if before is not None and before.says_the_same(outcome):
            known += 1
            continue
        code = _fault(outcome, before, payments, settled)
        if code:
            faults.append(RowFault(outcome.line, code, outcome.end_to_end_id))
            continue
        seen[outcome.reference] = outcome
        settled[outcome.end_to_end_id] = PaymentState(outcome.state.value)
        new.append(outcome)
    return Judged((), known, tuple(faults)) if faults else Judged(tuple(new), known, ())


def _fault(
    outcome: Outcome,
    before: Outcome | None,
    payments: Mapping[str, KnownPayment],
    states: Mapping[str, PaymentState],
) -> str:
    payment = payments.get(outcome.end_to_end_id)
    if before is not None:
        return "OUTCOME_OTHER_CONTENT"
    if payment is None:
        return "OUTCOME_PAYMENT_UNKNOWN"
    if payment.cents != outcome.cents:
        return "OUTCOME_AMOUNT_DIFFERS"
    match states[outcome.end_to_end_id]:
        case PaymentState.CREATED:
            return "OUTCOME_NOT_SENT"
        case PaymentState.PAID | PaymentState.FAILED:
            return "OUTCOME_ALREADY_SETTLED"
        case _:
            return ""
