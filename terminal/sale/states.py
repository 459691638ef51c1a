"""The states of a sale and every way between them (PROTOCOL 5), in one table."""

from collections.abc import Callable
from enum import StrEnum


class State(StrEnum):
    """Where a sale stands; what each state means for the money."""

    IDLE = "idle"
    """No money is moving; nothing is owed to anybody."""
    CARD_READ = "card_read"
    """The card was read freshly. No money is moving."""
    BASKET = "basket"
    """The customer sees before and after. No money is moving."""
    AGREED = "agreed"
    """The customer agreed and the PIN was right. No money is moving yet."""
    INTENT = "intent"
    """The intent is durable: from here on the card may be debited."""
    COMMITTED = "committed"
    """The card was debited and said so with a MAC: goods are due."""
    UNKNOWN = "unknown"
    """The card may or may not be debited: only a fresh read tells. Nothing is handed over."""
    NOT_APPLIED = "not_applied"
    """A fresh read shows that the card was not debited; the same debit may be tried again."""
    UNRESOLVED = "unresolved"
    """Parked: this purse waits until it is seen again, or the backend decides."""
    CLOSED = "closed"
    """The card was debited and the entry is durable: goods are due, the shop will be paid."""


class Event(StrEnum):
    """What happens to a sale."""

    CARD_GOOD = "card_good"
    CARD_REFUSED = "card_refused"
    CARD_GONE = "card_gone"
    OFFERED = "offered"
    AGREED = "agreed"
    STOPPED = "stopped"
    """No; wrong PIN; card gone; another card or other records after a reset."""
    RESET_SAME = "reset_same"
    INTENT_DURABLE = "intent_durable"
    NOT_SENT = "not_sent"
    PROVEN = "proven"
    UNPROVEN = "unproven"
    """The UPDATE left and its answer proves nothing."""
    ENTRY_DURABLE = "entry_durable"
    READ_NOTHING = "read_nothing"
    READ_COMMITTED = "read_committed"
    READ_NOT_APPLIED = "read_not_applied"
    READ_UNRESOLVED = "read_unresolved"
    RETRIED = "retried"
    GIVEN_UP = "given_up"
    """The customer declines, or no retry is possible."""
    PARKED = "parked"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.IDLE, Event.CARD_GOOD): State.CARD_READ,
    (State.IDLE, Event.CARD_REFUSED): State.IDLE,
    (State.IDLE, Event.CARD_GONE): State.IDLE,
    (State.CARD_READ, Event.CARD_GONE): State.IDLE,
    (State.CARD_READ, Event.CARD_REFUSED): State.IDLE,
    (State.CARD_READ, Event.STOPPED): State.IDLE,
    (State.CARD_READ, Event.OFFERED): State.BASKET,
    (State.BASKET, Event.OFFERED): State.BASKET,
    (State.BASKET, Event.AGREED): State.AGREED,
    (State.BASKET, Event.STOPPED): State.IDLE,
    (State.BASKET, Event.CARD_REFUSED): State.IDLE,
    (State.BASKET, Event.CARD_GONE): State.IDLE,
    (State.BASKET, Event.RESET_SAME): State.BASKET,
    (State.AGREED, Event.STOPPED): State.IDLE,
    (State.AGREED, Event.RESET_SAME): State.BASKET,
    (State.AGREED, Event.INTENT_DURABLE): State.INTENT,
    (State.INTENT, Event.NOT_SENT): State.IDLE,
    (State.INTENT, Event.PROVEN): State.COMMITTED,
    (State.INTENT, Event.UNPROVEN): State.UNKNOWN,
    (State.COMMITTED, Event.ENTRY_DURABLE): State.CLOSED,
    (State.UNKNOWN, Event.READ_NOTHING): State.UNKNOWN,
    (State.UNKNOWN, Event.READ_COMMITTED): State.CLOSED,
    (State.UNKNOWN, Event.READ_NOT_APPLIED): State.NOT_APPLIED,
    (State.UNKNOWN, Event.READ_UNRESOLVED): State.UNRESOLVED,
    (State.UNKNOWN, Event.PARKED): State.UNRESOLVED,
    (State.NOT_APPLIED, Event.RETRIED): State.INTENT,
    (State.NOT_APPLIED, Event.READ_NOTHING): State.UNKNOWN,
    (State.NOT_APPLIED, Event.READ_COMMITTED): State.CLOSED,
    (State.NOT_APPLIED, Event.READ_UNRESOLVED): State.UNRESOLVED,
    (State.NOT_APPLIED, Event.GIVEN_UP): State.IDLE,
}
"""A crash is no event: what is open in the journal at the next start is ``UNKNOWN``."""


class Step(StrEnum):
    """What a sale is doing, for people who wait; each is told before it begins."""

    READING = "reading"
    PIN = "pin"
    PIN_PAD = "pin_pad"
    """The customer types the PIN on the reader."""
    INTENT = "intent"
    DEBIT = "debit"
    PROOF = "proof"
    ENTRY = "entry"
    RECOVERY = "recovery"


OBSERVERS: list[Callable[[State, Event], None]] = []
"""Who is told of every move: the simulated town, which counts them; nobody in a shop."""


def after(state: State, event: Event) -> State:
    """The next state. KeyError is a bug of the caller: the table has every way there is."""
    following = TRANSITIONS[state, event]
    for observer in OBSERVERS:
        observer(state, event)
    return following
