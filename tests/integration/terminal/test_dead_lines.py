"""A line that is dead until it is made anew, as a PC/SC connection is after any error."""

from collections.abc import Callable

import pytest

from cardlib.codec.pin import Pin
from cardlib.connection import CardConnection
from cardlib.errors import CardGoneError, PurseRefusedError
from cardlib.wire.money import Money
from simulator.faults import Shim, Trigger, nth
from terminal.errors import SaleRefusedError
from terminal.sale.offer import Item
from terminal.sale.session import SaleSession
from terminal.sale.states import State
from tests.integration.terminal.stage import (
    FOOD,
    PIN,
    Customer,
    Stage,
    StageCard,
    assert_books,
    codes,
)

VERIFY = 0x20


class DeadLine(Shim):
    """From the trigger on nothing is sent, until :meth:`reset` connects to ``then()``."""

    def __init__(
        self, inner: CardConnection, when: Trigger, then: Callable[[], CardConnection]
    ) -> None:
        super().__init__(inner)
        self._when, self._then = when, then
        self._dead = False

    def transmit(self, apdu: bytes) -> bytes:
        """CardGoneError for the struck command and all after it."""
        self._dead = self._dead or self._when(apdu)
        if self._dead:
            raise CardGoneError("CARD_RESET_BY_OTHER")
        return self.inner.transmit(apdu)

    def reset(self) -> None:
        """Whatever card is there now."""
        if self._dead:
            self.inner, self._dead = self._then(), False
        self.inner.reset()


def shown(customer: Customer) -> SaleSession:
    sale = customer.session()
    sale.read()
    sale.basket([Item(FOOD, Money(5_00))])
    return sale


def test_the_agreement_outlives_a_reset_by_another_program(stage: Stage) -> None:
    till, card = stage.till(), stage.card()
    sale = shown(Customer(till, DeadLine(card.plug(), nth(1, VERIFY), card.plug)))
    with pytest.raises(SaleRefusedError, match="CARD_RESET"):
        sale.agree(Pin(PIN))
    assert sale.state is State.BASKET

    sale.agree(Pin(PIN))
    assert sale.commit().goods_are_due
    assert_books(card, till)


def test_a_card_put_in_the_others_place_while_the_pin_is_typed_pays_nothing(stage: Stage) -> None:
    till, card, other = stage.till(), stage.card(), stage.card(number=2)
    sale = shown(Customer(till, DeadLine(card.plug(), nth(1, VERIFY), other.plug)))
    with pytest.raises(SaleRefusedError, match="CARD_CHANGED"):
        sale.agree(Pin(PIN))
    assert (sale.state, codes(till)) == (State.IDLE, [])
    assert spent(card) == spent(other) == 0


def test_a_card_without_a_purse_in_its_place_neither(stage: Stage) -> None:
    till, card, other = stage.till(), stage.card(), stage.card(number=2)
    directory = other.card.memory.find((0x1200,))
    assert directory is not None
    directory.directories.clear()
    sale = shown(Customer(till, DeadLine(card.plug(), nth(1, VERIFY), other.plug)))
    with pytest.raises(PurseRefusedError, match="PURSE_MISSING"):
        sale.agree(Pin(PIN))
    assert (sale.state, codes(till)) == (State.IDLE, [])


def spent(card: StageCard) -> int:
    return card.newest().spent[0]
