"""Legacy chips at the desk: personalised, loaded, torn, and a number whose keys are weak."""

import pytest

from cardlib.codec.purse import Suite
from cardlib.errors import AuthenticityError
from cardlib.keys.suites import Tdea2KeySuite
from simulator.faults import TearAfter, TearBefore, nth
from tests.integration.card_sessions.bench import Card, Town

SOME_CASES = 6


@pytest.fixture
def card(town: Town) -> Card:
    return town.purse_card("legacy", suite=Suite.TDEA_2KEY)


def test_the_purse_is_of_the_suite_of_its_stock(card: Card) -> None:
    assert card.info.suite == Suite.TDEA_2KEY
    assert card.key_objects[7] == card.keys.admin_command


@pytest.mark.parametrize("number", [3, 6, 15, 16, 17, 19, 23])
@pytest.mark.parametrize("tear", [TearBefore, TearAfter])
def test_a_load_torn_on_a_legacy_chip_is_finished(
    card: Card, number: int, tear: type[TearBefore] | type[TearAfter]
) -> None:
    town = card.town
    town.order(card, 5000)
    assert town.load(card).outcome == "LOAD_DONE"
    card.debit(1250)
    town.order(card, 3000)

    town.load(card, tear(card.line, nth(number)))
    town.load(card)

    assert card.wallet() == 5000 - 1250 + 3000
    town.check_books()


def test_a_number_with_a_weak_key_costs_the_number_and_nothing_else(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[bytes] = []
    check = Tdea2KeySuite.check_key

    def first_is_weak(suite: Tdea2KeySuite, key: bytes) -> None:
        if not refused:
            refused.append(key)
            raise AuthenticityError("PURSE_KEY_WEAK")
        check(suite, key)

    monkeypatch.setattr(Tdea2KeySuite, "check_key", first_is_weak)
    card = town.stock_card(seed="weak", suite=Suite.TDEA_2KEY)

    assert town.personalise(card).outcome == "PURSE_KEY_WEAK"
    assert card.memory.find((0x1200, 0xB001)) is None
    assert town.personalise(card).outcome == "PURSE_MADE"
    with town.work.begin() as unit:
        assert len(unit.cards.purses()) == 1
