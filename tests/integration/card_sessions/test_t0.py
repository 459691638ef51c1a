"""Personalising and loading a T=0 card (our fictitious one): the backend never knows."""

from itertools import product

import pytest

from backend.domain.ledger import AccountKind
from cardlib.channel import Channel
from cardlib.trace import Exchange
from simulator.card.masks import GENERIC_T0
from simulator.faults import EndlessAnswer, LongerAnswer, TearAfter, TearBefore, nth
from tests.cases import chosen
from tests.integration.card_sessions.bench import Card, Town

GET_RESPONSE = 0xC0


def personalised(town: Town) -> Card:
    card = town.stock_card(GENERIC_T0)
    done = town.personalise(card, Channel(card.line))
    assert done.outcome == "PURSE_MADE", done.outcome
    return card


def test_a_t0_card_is_personalised_and_loaded(town: Town) -> None:
    card, trace = personalised(town), list[Exchange]()
    town.order(card, 50_00)
    done = town.load(card, Channel(card.line, trace.append))

    assert done.outcome == "LOAD_DONE"
    assert town.balance(AccountKind.ON_CARD) == 50_00
    town.check_books()
    writes = [item for item in trace if item.command[0] == 0x0C and item.command[1] != 0xB2]
    fetched = [item for item in trace if item.command[1] == GET_RESPONSE]
    assert len(fetched) == len(writes) > 0
    assert all((item.answer or b"")[-2] == 0x61 for item in writes)


@pytest.mark.parametrize("kind", [EndlessAnswer, LongerAnswer])
@pytest.mark.parametrize("number", [2, 5, 20])
def test_an_answer_that_no_card_may_give_is_a_card_lost(
    town: Town, kind: type[EndlessAnswer] | type[LongerAnswer], number: int
) -> None:
    card = personalised(town)
    order = town.order(card, 50_00)
    town.load(card, Channel(kind(card.line, nth(number))))
    town.load(card, Channel(card.line))
    assert town.order_state(order) == "on_card"
    town.check_books()


@pytest.mark.parametrize(
    ("kind", "number"),
    chosen(
        product([TearBefore, TearAfter], range(1, 28)),
        [*product([TearBefore], range(1, 28, 6)), *product([TearAfter], range(4, 28, 6))],
    ),
)
def test_a_torn_load_goes_on_where_it_was(
    town: Town, kind: type[TearBefore] | type[TearAfter], number: int
) -> None:
    """What a card does when torn is the same without T=0: each command in test_tears.py."""
    card = personalised(town)
    order = town.order(card, 50_00)
    town.load(card, Channel(kind(card.line, nth(number))))
    town.check_books()
    town.load(card, Channel(card.line))
    assert town.order_state(order) == "on_card"
    assert town.balance(AccountKind.ON_CARD) == 50_00
    town.check_books()
