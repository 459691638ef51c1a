"""Personalisation and load of applet cards: the same desk, a chip that holds one key more."""

import pytest

from backend.domain.ledger import AccountKind
from cardlib.codec.files import KeyId
from simulator.card.masks import WHITE_APPLET
from simulator.faults import TearAfter, TearBefore, nth
from tests.integration.card_sessions.bench import Town

SOME_CASES = 8

LOAD_COMMANDS = 18
DONE = ("LOAD_DONE", "LOAD_NOTHING_WAITING", "LOAD_TIDIED")
PERSONALISATION_COMMANDS = range(1, 66, 4)


def test_an_applet_card_is_personalised_and_loaded_like_any_other(town: Town) -> None:
    card = town.purse_card(mask=WHITE_APPLET)
    town.order(card, 5000)
    assert town.load(card).outcome == "LOAD_DONE"
    town.order(card, 3000)

    assert town.load(card).outcome == "LOAD_DONE"

    assert card.wallet() == town.slot_money(card) == 8000
    assert town.balance(AccountKind.LOADING) == 0
    assert card.key_objects[KeyId.RECORD] == card.keys.debit.record
    town.check_books()


def test_the_record_key_goes_to_applet_chips_only(town: Town) -> None:
    assert KeyId.RECORD not in town.purse_card().key_objects


def test_a_stock_list_that_takes_a_file_card_for_an_applet_puts_no_record_key_on_it(
    town: Town,
) -> None:
    card = town.stock_card()
    with town.work.begin() as unit:
        unit.cards.stock_card(card.serial).kind = WHITE_APPLET
        unit.commit()

    done = town.personalise(card)

    assert done.outcome != "PURSE_MADE"
    services = card.memory.find((0x1200,))
    assert services is not None
    assert not any(KeyId.RECORD in purse.keys for purse in services.directories)


@pytest.mark.parametrize("number", range(1, LOAD_COMMANDS + 1))
@pytest.mark.parametrize("kind", [TearBefore, TearAfter])
def test_a_load_torn_at_any_command_is_finished_by_the_next(
    town: Town, kind: type[TearBefore] | type[TearAfter], number: int
) -> None:
    card = town.purse_card(mask=WHITE_APPLET)
    town.order(card, 5000)
    torn = town.load(card, kind(card.line, nth(number)))
    again = town.load(card)

    assert (torn.outcome, again.outcome in DONE) == ("CARD_GONE", True)
    assert card.wallet() == town.slot_money(card) == 5000
    town.check_books()


@pytest.mark.parametrize("number", PERSONALISATION_COMMANDS)
def test_a_torn_personalisation_goes_on_with_the_same_purse(town: Town, number: int) -> None:
    card = town.stock_card(WHITE_APPLET)
    torn = town.personalise(card, TearAfter(card.line, nth(number)))
    done = town.personalise(card)

    assert (torn.outcome, done.outcome) == ("CARD_GONE", "PURSE_MADE")
    assert set(card.key_objects) == set(range(1, 10))


def test_an_applet_chip_takes_no_purse_of_suite_2(town: Town) -> None:
    """It seals records itself, by AES."""
    card = town.stock_card(WHITE_APPLET)
    with town.work.begin() as unit:
        unit.cards.stock_card(card.serial).suite = 2
        unit.commit()

    assert town.personalise(card).outcome != "PURSE_MADE"
