"""What the worker tells the screen: one dataclass a happening.

All but ``StatusChanged``, ``Working``, ``CardOut`` and ``Aside`` are *answers*: the
worker has done what it was asked and waits for the cashier.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from textual.message import Message

from cardlib.errors import CardlibError
from cardlib.wire.money import Money
from terminal.sale.states import Step
from terminal.ui.shown import CardView, OfferView, OpenCase, PinPlace, TillStatus


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable code and the values that its sentence needs."""

    code: str
    facts: Mapping[str, str | int] = field(default_factory=dict)

    @classmethod
    def of(cls, error: CardlibError) -> Self:
        """From an error."""
        return cls(error.code, error.facts)


@dataclass
class StatusChanged(Message):
    """The status line is different now."""

    status: TillStatus


@dataclass
class Working(Message):
    """The card works: this step begins."""

    step: Step


@dataclass
class CardOut(Message):
    """The card was taken out, and that is all right now."""


@dataclass
class Aside(Message):
    """Something to know that changes nothing for this customer."""

    reason: Reason


@dataclass
class CardWanted(Message):
    """Nobody is being served: put a card in."""


@dataclass
class CardRead(Message):
    """The card is good: type the amounts. ``same_card``: another purse of it is in view."""

    card: CardView
    same_card: bool = False


@dataclass
class AmountsRefused(Message):
    """It cannot be done like this, and why: the amounts stand and may be changed."""

    reason: Reason


@dataclass
class Offered(Message):
    """The customer is to agree."""

    offer: OfferView


@dataclass
class PinWanted(Message):
    """The agreement stands, but the PIN is asked again."""

    reason: Reason


@dataclass
class SaleClosed(Message):
    """The customer has paid. ``recovered`` when that was found out later."""

    receipts: str
    total: Money
    recovered: bool


@dataclass
class Declined(Message):
    """The customer said no; nothing was taken. ``other_purse``: the card may hold another."""

    card_in: bool
    other_purse: bool = False


@dataclass
class Ended(Message):
    """This sale is over without a receipt, and why. ``other_purse`` as in ``Declined``."""

    reason: Reason
    card_in: bool
    other_purse: bool = False


@dataclass
class OutcomeUnknown(Message):
    """Nobody knows yet whether the card was debited. ``reason``: what the last try said."""

    case: OpenCase
    reason: Reason | None


@dataclass
class NotDebited(Message):
    """The card was not debited, and the same debit may be tried again."""

    case: OpenCase
    pin: PinPlace
    reason: Reason | None


@dataclass
class WorkerStopped(Message):
    """The worker's thread has ended; ``error`` when it should not have."""

    error: BaseException | None
