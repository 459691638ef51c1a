"""Tests of one's own card software, with this package's pytest fixtures.

In this folder: ``python -m pytest -p simulator.pytest_plugin test_with_fixtures.py``.
"""

import pytest
from training import driver

from cardlib.codec.pin import Pin
from cardlib.connection import CardConnection
from cardlib.errors import CardGoneError, WrongPinError
from simulator.pytest_plugin import FaultyCards


def test_a_wrong_pin_costs_a_try(card_connection: CardConnection) -> None:
    card = driver(card_connection)
    card.read()
    with pytest.raises(WrongPinError) as caught:
        card.verify_pin(Pin("99999"))
    assert caught.value.tries_left == 2


@pytest.mark.virtual_card(mask="crs-stincard", wallets=[50_00])
def test_a_card_that_is_pulled_is_gone_until_it_is_put_back(faulty_card: FaultyCards) -> None:
    faulty = faulty_card("tear-before:4")
    card = driver(faulty.connection)
    with pytest.raises(CardGoneError):
        card.read()
    faulty.reinsert()
    assert card.read().wallets[1].balance.cents == 50_00
