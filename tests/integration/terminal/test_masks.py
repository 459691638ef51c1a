"""The till does not care whose chip it is: a sale, a wrong PIN and a tear on every CNS mask."""

import pytest

from cardlib.errors import WrongPinError
from simulator.card.masks import MASKS
from simulator.faults import TearAfter, nth
from terminal.sale.states import State
from tests.integration.terminal.stage import Customer, Stage, assert_books, committed

CNS_MASKS = [name for name, mask in MASKS.items() if mask.traits.cns]
UPDATE = 0xDC


@pytest.mark.parametrize("mask", CNS_MASKS)
def test_a_purse_is_the_same_on_every_mask(stage: Stage, mask: str) -> None:
    card, till = stage.card(mask=mask), stage.till()
    shop = Customer(till, card.plug())
    with pytest.raises(WrongPinError) as wrong:
        shop.buy(1_00, pin="99999")
    assert wrong.value.tries_left == 2
    assert shop.buy(12_50).state is State.CLOSED

    reader = TearAfter(card.plug(), nth(1, UPDATE))
    torn = Customer(till, reader)
    assert torn.buy(2_50).state is State.UNKNOWN
    reader.reinsert()
    torn.counter.recovery().settle(torn.card)
    assert [body.tc is not None for body in committed(till)] == [True, True]
    assert card.newest().spent[0] == 15_00
    assert_books(card, till)
