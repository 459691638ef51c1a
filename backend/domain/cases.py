"""What a person may decide about money in suspense (PROTOCOL 6 and 7). Pure.

A case is paid, refunded to the purse, or released to the wallet it came from. What the
wallet lacked (exposure) is borne by somebody when it is paid: the fund of the programme,
or a loss that the municipality takes over.
"""

from dataclasses import dataclass
from enum import StrEnum

from backend.errors import BadInputError, ConflictError


class Decision(StrEnum):
    """Where the money of a case goes."""

    PAY = "pay"
    """To the merchant. Of a void: it does not hold, the merchant keeps the money."""
    REFUND = "refund"
    """To the purse, by a new grant: the card was debited, the shop is not paid."""
    RELEASE = "return"
    """Back to where it came from: the card was not debited. Of a void: it holds. Books and
    exports write "return", which has nothing to do with goods that come back."""
    DONE = "done"
    """Nothing moves: a case without money is settled."""


class Cover(StrEnum):
    """Who bears what a wallet lacked."""

    FUND = "fund"
    LOSS = "loss"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """A case before it is decided; cents.

    ``lacking`` is the part that exposure lent. ``waits_for_entry``: the card proves it and
    its till has not told; ``told_no_more``: that till is recorded as lost, the sale lies
    beyond what it had told, and the claim window is over.
    """

    open: bool
    suspended: int
    lacking: int
    proven: bool
    is_void: bool
    merchant_known: bool
    waits_for_entry: bool
    told_no_more: bool


def check_decision(case: int, facts: CaseFacts, decision: Decision, cover: Cover | None) -> None:
    """ConflictError ``CASE_CLOSED``, ``CASE_TOO_EARLY``, ``CASE_DECISION_UNFIT``;
    BadInputError ``CASE_COVER_WANTED`` when nobody bears what the wallet lacked.
    """
    if not facts.open:
        raise ConflictError("CASE_CLOSED", case=case)
    if facts.waits_for_entry and not facts.told_no_more:
        raise ConflictError("CASE_TOO_EARLY", case=case)
    if not _fits(facts, decision):
        raise ConflictError("CASE_DECISION_UNFIT", case=case, decision=decision.name.lower())
    if facts.lacking and decision in {Decision.PAY, Decision.REFUND} and cover is None:
        raise BadInputError("CASE_COVER_WANTED", case=case, cents=facts.lacking)


def _fits(facts: CaseFacts, decision: Decision) -> bool:
    match decision:
        case Decision.DONE:
            return not facts.suspended
        case Decision.PAY:
            return facts.suspended > 0 and facts.merchant_known
        case Decision.REFUND:
            return facts.suspended > 0 and facts.proven and not facts.is_void
        case Decision.RELEASE:  # a wallet gets back only what its card still shows
            return facts.suspended > 0 and (
                not facts.proven or facts.is_void or facts.lacking == facts.suspended
            )
