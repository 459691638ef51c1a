"""One card and one till before an accident, and what must be true after it.

Every case ends with :meth:`Scene.goes_on`: card and journal agree to the cent, nothing
waits, and the next sale with the same card works.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from cardlib.codec.pin import Pin
from cardlib.connection import CardConnection
from cardlib.errors import CodedError
from cardlib.text.catalogue import explain, load
from cardlib.wire.money import Money
from terminal.recovery.flow import Settled
from terminal.sale.offer import Item
from terminal.sale.session import SaleSession
from terminal.till import Till
from tests.integration.terminal.stage import (
    FOOD,
    PIN,
    Customer,
    Stage,
    StageCard,
    assert_books,
    codes,
)

VERIFY, UPDATE, MSE, READ_RECORD, SELECT = 0x20, 0xDC, 0x22, 0xB2, 0xA4
PRICE = 12_50
NEXT = 1_00


@dataclass
class Scene:
    """A town, a card and a till."""

    stage: Stage
    card: StageCard
    till: Till

    def customer(self, reader: CardConnection | None = None) -> Customer:
        """The card's holder at the till, before ``reader`` or a good one."""
        return Customer(self.till, reader or self.card.plug())

    def agreed(self, reader: CardConnection | None = None) -> SaleSession:
        """A sale of 12.50 EUR up to the PIN: the next step is the debit."""
        sale = self.shown(reader)
        sale.agree(Pin(PIN))
        return sale

    def shown(self, reader: CardConnection | None = None) -> SaleSession:
        """A sale of 12.50 EUR whose before and after the customer has seen."""
        sale = self.customer(reader).session()
        sale.read()
        sale.basket([Item(FOOD, Money(PRICE))])
        return sale

    def settle(self) -> list[Settled]:
        """The card comes back into a good reader: recovery, as the till does it."""
        shop = self.customer()
        return shop.counter.recovery().settle(shop.card)

    @property
    def journal(self) -> list[str]:
        """The journal in words."""
        return codes(self.till)

    def goes_on(self, spent: int, *others: Till) -> None:
        """``spent`` cents left the card and are in the journals, and the next sale works."""
        self.holds(spent, *others)
        assert not self.till.journal.views.unsettled()
        assert self.customer().buy(NEXT).goods_are_due
        self.holds(spent + NEXT, *others)

    def holds(self, spent: int, *others: Till) -> None:
        """Card and journals agree on ``spent`` cents."""
        assert self.card.newest().spent[0] == spent
        assert_books(self.card, self.till, *others)


def shown_code(call: Callable[[], Any]) -> str:
    """The code of what ``call`` raises; its sentence exists in both languages."""
    with pytest.raises(CodedError) as caught:
        call()
    return assert_worded(caught.value)


def assert_worded(error: CodedError) -> str:
    """Its code, once its sentence is there in both languages, with all its facts."""
    for lang in ("it", "en"):
        assert error.code in load(lang)["codes"], error.code
        assert "{" not in explain(error, lang)
    return error.code
