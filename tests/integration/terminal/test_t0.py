"""A shop before a T=0 card (our fictitious one): sales, tears at every exchange, recovery."""

import pytest

from cardlib.errors import CardGoneError, CodedError
from simulator.card.masks import GENERIC_T0
from simulator.faults import EndlessAnswer, LongerAnswer, TearAfter, TearBefore, nth
from terminal.sale.states import State
from tests.integration.terminal.stage import Customer, Stage, assert_books, codes, committed

SOME_CASES = 8

PRICE = 12_50
EXCHANGES, BYTES = 11, 444
"""As on T=1, with a GET RESPONSE for the UPDATE: 7 bytes more, and the UPDATE's Le less."""
UPDATE_AT = 8
UPDATE = 0xDC
NAMED = ("ANSWER_ENDLESS", "ANSWER_LENGTH", "CARD_ANSWER", "CARD_RESET", "MALFORMED")


def test_a_sale_is_one_get_response_longer_than_on_t1(stage: Stage) -> None:
    card, till = stage.card(mask=GENERIC_T0), stage.till()
    shop = Customer(till, card.plug())
    assert shop.buy(PRICE).state is State.CLOSED
    assert [item.name for item in shop.trace][UPDATE_AT - 1 : UPDATE_AT + 1] == [
        "UPDATE RECORD EF.SPEND", "GET RESPONSE",
    ]  # fmt: skip
    assert (len(shop.trace), sum(item.size for item in shop.trace)) == (EXCHANGES, BYTES)
    assert_books(card, till)


@pytest.mark.parametrize("number", range(1, EXCHANGES + 1))
@pytest.mark.parametrize("kind", [TearBefore, TearAfter])
def test_a_card_pulled_at_any_exchange_is_settled_when_it_returns(
    stage: Stage, kind: type[TearBefore] | type[TearAfter], number: int
) -> None:
    card, till = stage.card(mask=GENERIC_T0), stage.till()
    reader = kind(card.plug(), nth(number))
    shop = Customer(till, reader)
    try:
        state = shop.buy(PRICE).state
    except CardGoneError:
        state = State.IDLE
    debited = card.newest().ctr == 1
    assert debited == (number > UPDATE_AT or (number == UPDATE_AT and kind is TearAfter))
    assert sum(item.command[1] == UPDATE for item in shop.trace) == (number >= UPDATE_AT)
    if number in (UPDATE_AT, UPDATE_AT + 1):
        assert state is State.UNKNOWN
    reader.reinsert()
    if state is State.UNKNOWN:
        shop.counter.recovery().settle(shop.card)
        assert codes(till)[-1] == ("recovered" if debited else "not_applied read")
    assert len(committed(till)) == debited
    assert shop.buy(1_00).goods_are_due
    assert_books(card, till)


@pytest.mark.parametrize("kind", [EndlessAnswer, LongerAnswer])
@pytest.mark.parametrize("number", range(1, EXCHANGES + 1))
def test_an_answer_that_t0_does_not_know_costs_nobody_a_cent(
    stage: Stage, kind: type[EndlessAnswer] | type[LongerAnswer], number: int
) -> None:
    card, till = stage.card(mask=GENERIC_T0), stage.till()
    try:
        state = Customer(till, kind(card.plug(), nth(number))).buy(PRICE).state
    except CodedError as error:
        state = State.IDLE
        if error.code not in NAMED:
            raise
    if state is State.CLOSED:
        assert card.newest().ctr == 1
    assert_books(card, till)
    assert Customer(stage.till(503), card.plug()).buy(PRICE).state is State.CLOSED
