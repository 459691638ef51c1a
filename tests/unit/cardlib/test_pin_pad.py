"""A PIN typed on the reader's own keypad, as driver and card live through it."""

from collections.abc import Iterable

import pytest

from cardlib.channel import Channel
from cardlib.codec.pin_pad import Language, change_blank, verify_blank
from cardlib.dialogues.pin import check_filled_in
from cardlib.errors import PinBlockedError, PinError, PinPadError, WrongPinError
from cardlib.trace import Exchange
from simulator.card.card import VirtualCard
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.pin_pad import CANCELS, WAITS, Act, KeypadReader, types
from tests.unit.simulator.host import purse_memory

SELECT = bytes.fromhex("00A4080C041200B001")
TRIES = bytes.fromhex("0020009C")


class Desk:
    """A card in a reader with a keypad, and what is seen on the PC's side of it."""

    def __init__(self, finger: Iterable[Act], **reader: tuple[int, int]) -> None:
        self.card = VirtualCard(purse_memory(), SeededRandomness("keypad"))
        self.reader = KeypadReader(InProcessConnection(self.card), finger, **reader)
        self.seen: list[Exchange] = []
        self.channel = Channel(self.reader, self.seen.append)
        self.channel.transmit(SELECT)

    def verify(self) -> None:
        check_filled_in(self.channel.fill_in(verify_blank()))

    @property
    def tries_left(self) -> bytes:
        return self.channel.transmit(TRIES)


def test_the_right_pin_opens_the_purse_and_the_pc_never_sees_a_digit() -> None:
    desk = Desk([types("12345")])
    desk.verify()
    assert desk.tries_left == bytes.fromhex("9000"), "the card takes the PIN for verified"
    exchange = desk.seen[1]
    assert exchange.command == bytes.fromhex("0020009C08FFFFFFFFFFFFFFFF")
    assert exchange.answer == bytes.fromhex("9000")


def test_a_wrong_pin_costs_a_try_and_three_of_them_block() -> None:
    desk = Desk([types("54321")] * 3)
    for left in (2, 1):
        with pytest.raises(WrongPinError) as wrong:
            desk.verify()
        assert wrong.value.tries_left == left
    with pytest.raises(PinBlockedError):
        desk.verify()


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (CANCELS, "PIN_PAD_CANCELLED"),
        (WAITS, "PIN_PAD_TIMEOUT"),
        (types("1234"), "PIN_PAD_LENGTH"),
        (types("123456789"), "PIN_PAD_LENGTH"),
    ],
)
def test_what_never_reached_the_card_costs_no_try(act: Act, code: str) -> None:
    desk = Desk([act])
    with pytest.raises(PinPadError) as refused:
        desk.verify()
    assert refused.value.code == code
    assert desk.tries_left == bytes.fromhex("63C3")


def test_a_pin_is_changed_on_the_keypad() -> None:
    desk = Desk([types("12345", "87654321", "87654321"), types("87654321")])
    check_filled_in(desk.channel.fill_in(change_blank()))
    desk.verify()


def test_two_different_new_pins_change_nothing() -> None:
    desk = Desk([types("12345", "87654321", "87654322"), types("12345")])
    with pytest.raises(PinPadError) as refused:
        check_filled_in(desk.channel.fill_in(change_blank()))
    assert refused.value.code == "PIN_PAD_DIFFER"
    desk.verify()


def test_the_reader_speaks_to_customers_in_italian() -> None:
    desk = Desk([types("12345")])
    desk.verify()
    assert desk.reader.languages == [Language.ITALIAN]


def test_a_reader_that_takes_short_pins_only_counts_as_none() -> None:
    pad = Desk([], digits=(4, 6)).channel.pin_pad
    assert pad is not None
    assert not pad.can_verify


def test_a_plain_reader_has_no_keypad() -> None:
    card = VirtualCard(purse_memory(), SeededRandomness("plain"))
    channel = Channel(InProcessConnection(card))
    assert channel.pin_pad is None
    with pytest.raises(PinError, match="PIN_PAD_MISSING"):
        channel.fill_in(verify_blank())
