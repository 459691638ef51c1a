"""Where a stored thing stands; the words are the database's and the export's.

Records, batches and their lines have theirs where their rules are: PostingState and Closing
in :mod:`backend.domain.verdicts`, BatchState and LineState in :mod:`backend.domain.settlement`.
"""

from enum import StrEnum


class PurseState(StrEnum):
    """A purse, which is a card with an account."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    """Declared lost or stolen."""
    REPLACED = "replaced"
    """Its money goes to another card, for good."""


class StockState(StrEnum):
    """A blank card."""

    NEW = "new"
    IN_SESSION = "in_session"
    PERSONALISED = "personalised"
    """It was made a purse."""
    SPOILT = "spoilt"


class AwardState(StrEnum):
    """An award to a household."""

    APPROVED = "approved"
    WITHDRAWN = "withdrawn"
    """Nothing is left of it."""


class OrderSource(StrEnum):
    """Where the money of a load order comes from."""

    AWARD = "award"
    REFUND = "refund"
    """A sale or a return that the purse is owed."""
    REPLACEMENT = "replacement"
    """A card that was lost."""


class OrderState(StrEnum):
    """A load order."""

    APPROVED = "approved"
    """Nobody has signed it yet."""
    LOADING = "loading"
    """Its grant is signed, and no card has been seen to hold it."""
    ON_CARD = "on_card"
    LEFT_OVER = "superseded_on_card"
    """On the card; what it replaced there is still to be cleared."""
    VOID = "void"


STANDING = (OrderState.APPROVED, OrderState.LOADING, OrderState.ON_CARD, OrderState.LEFT_OVER)
"""While an order is one of these, its programme has its slot on the purse."""


class GrantState(StrEnum):
    """A signed grant."""

    LOADING = "loading"
    ON_CARD = "on_card"
    SUPERSEDED = "superseded"
    """A later grant has its slot."""
    VOID = "void"
    """It can no longer reach the card."""


class CaseState(StrEnum):
    """What waits for a person."""

    OPEN = "open"
    CLOSED = "closed"


class TerminalState(StrEnum):
    """A till."""

    ACTIVE = "active"
    LOST = "lost"
    CLOSED = "closed"


class EntryVerdict(StrEnum):
    """What became of an entry as such; what it claims is judged with its purse."""

    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"


class SessionState(StrEnum):
    """A card session."""

    ACTIVE = "active"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
