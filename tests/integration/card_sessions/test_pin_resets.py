"""PIN forgotten: the backend sets a new one, and only a letter says which."""

import pytest

from backend.domain.claim_window import DAY_S
from backend.services.card_sessions.pin_reset import RESETS_A_DAY
from cardlib.channel import Channel
from cardlib.codec.pin import Pin
from cardlib.dialogues import pin as pins
from cardlib.errors import PinBlockedError, WrongPinError
from simulator.faults import HeldBack, TearAfter, TearBefore, WrongMac, nth
from tests.integration.card_sessions.bench import Card, Town


@pytest.fixture
def card(town: Town) -> Card:
    return town.purse_card("forgetful")


def present(card: Card, digits: str) -> None:
    channel = Channel(card.line)
    channel.transmit(bytes.fromhex("00A4080C041200B001"))
    channel.run(pins.verify(Pin(digits)))


def block(card: Card) -> None:
    for _ in range(3):
        with pytest.raises((WrongPinError, PinBlockedError)):
            present(card, "99999")


def test_a_blocked_pin_is_set_anew_and_its_tries_are_back(card: Card) -> None:
    block(card)
    old, letters = card.pin, card.town.letters

    assert card.town.reset_pin(card).outcome == "PIN_RESET"

    new, puk = letters.sent[card.purse]
    assert (card.pin, len(new), len(puk)) == (new, 5, 8)
    assert new != old
    present(card, new)
    with pytest.raises(WrongPinError) as wrong:
        present(card, old)
    assert wrong.value.tries_left == 2


def test_the_new_pin_never_travels_in_clear(card: Card) -> None:
    heard = b""

    class Listening:
        def __init__(self) -> None:
            self.line = card.line

        def transmit(self, apdu: bytes) -> bytes:
            nonlocal heard
            heard += apdu
            return self.line.transmit(apdu)

        def reset(self) -> None:
            self.line.reset()

    card.town.reset_pin(card, Listening())  # type: ignore[arg-type]

    assert card.pin.encode() not in heard
    command = heard[heard.index(bytes.fromhex("0C2C029C")) :]
    assert command[:8].hex() == "0c2c029c1d871101"
    assert command[24:26].hex() == "8e08"


@pytest.mark.parametrize("number", range(1, 6))
def test_torn_anywhere_another_reset_settles_it(card: Card, number: int) -> None:
    town = card.town
    for tear in (TearBefore, TearAfter):
        assert town.reset_pin(card, tear(card.line, nth(number))).outcome in {
            "CARD_GONE", "PIN_RESET",
        }  # fmt: skip

    assert town.reset_pin(card).outcome == "PIN_RESET"
    assert card.pin == town.letters.sent[card.purse][0]


def test_an_answer_with_a_wrong_mac_is_not_believed(card: Card) -> None:
    town = card.town

    assert town.reset_pin(card, WrongMac(card.line, nth(1, ins=0x2C))).outcome == "CARD_MAC_BAD"
    assert "CARD_MAC_BAD" in town.alarms()


def test_a_reset_held_back_dies_with_the_next_one(card: Card) -> None:
    town = card.town
    shim = HeldBack(card.line, nth(1, ins=0x2C))
    town.reset_pin(card, shim)
    town.reset_pin(card)
    now = card.pin
    shim.release()

    assert card.pin == now == town.letters.sent[card.purse][0]


@pytest.mark.parametrize("changed", range(1, 9))
def test_a_pin_is_set_anew_between_two_key_sets(card: Card, changed: int) -> None:
    town = card.town
    town.begin_key_set()
    assert town.renew(card, TearAfter(card.line, nth(changed, ins=0x24))).outcome == "CARD_GONE"
    block(card)
    assert town.renew(card).outcome == "PIN_BLOCKED"

    assert town.reset_pin(card).outcome == "PIN_RESET"
    assert town.renew(card).outcome == "KEY_SET_CHANGED"
    assert card.info.key_set == 2
    present(card, town.letters.sent[card.purse][0])


@pytest.mark.parametrize("suite", [1, 2])
def test_chips_of_both_suites_take_a_new_pin(town: Town, suite: int) -> None:
    card = town.purse_card("legacy", suite=suite)

    assert town.reset_pin(card).outcome == "PIN_RESET"
    assert card.pin == town.letters.sent[card.purse][0]


def test_who_has_a_station_and_a_found_card_cannot_go_on_guessing(card: Card) -> None:
    """Every reset gives three tries back, and a station asks for one alone."""
    town = card.town
    for _ in range(RESETS_A_DAY):
        block(card)
        assert town.reset_pin(card).outcome == "PIN_RESET"
    block(card)
    letter = town.letters.sent[card.purse]

    assert town.reset_pin(card).outcome == "PIN_RESET_TOO_OFTEN"
    with pytest.raises(PinBlockedError):
        present(card, card.pin)
    assert town.letters.sent[card.purse] == letter
    assert "PIN_RESET_TOO_OFTEN" in town.alarms()

    town.clock.sleep(DAY_S)
    assert town.reset_pin(card).outcome == "PIN_RESET"


def test_a_pin_whose_reset_failed_is_kept_in_its_letter_only(card: Card) -> None:
    town = card.town
    town.reset_pin(card, WrongMac(card.line, nth(1, ins=0x2C)))
    town.reset_pin(card, TearAfter(card.line, nth(1, ins=0x2C)))

    with town.work.begin() as unit:
        rows = unit.cards.sessions_of(unit.cards.purse(card.purse).id)
        assert [(row.plan, row.seed) for row in rows if row.purpose == "pin"] == [(None, b"")] * 2


def test_a_card_reported_as_stolen_gets_no_new_pin(card: Card) -> None:
    """A till that has not heard of it would serve whoever knows one."""
    town, known = card.town, card.pin
    with town.work.begin() as unit:
        unit.cards.purse(card.purse).hotlisted_at = 1
        unit.commit()

    assert town.reset_pin(card).outcome == "PURSE_HOTLISTED"
    assert (card.pin, town.letters.sent[card.purse][0]) == (known, known)
