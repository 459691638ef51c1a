"""Cards that come, go, or cannot be seen."""

import pytest

from cardlib.connection import CardConnection
from cardlib.errors import CardGoneError, CardMissingError, PresenceError, ReaderMissingError
from terminal.ui.card_slot import CardSlot, Change


class Hand:
    """A reader whose card is what ``found`` says; also that card."""

    def __init__(self) -> None:
        self.found: PresenceError | None = CardMissingError()
        self.closed = 0

    def open(self) -> CardConnection:
        if self.found is not None:
            raise self.found
        return self

    @property
    def atr(self) -> bytes:
        if self.found is not None:
            raise CardGoneError
        return b"\x3b"

    def transmit(self, apdu: bytes) -> bytes:
        return apdu

    def reset(self) -> None:
        pass

    def close(self) -> None:
        self.closed += 1


def test_a_card_enters_once_and_leaves_once() -> None:
    hand = Hand()
    slot = CardSlot(hand.open)
    assert slot.look() is None
    hand.found = None
    assert [slot.look(), slot.look()] == [Change.ENTERED, None]
    assert slot.card_in
    hand.found = CardMissingError()
    assert [slot.look(), slot.look()] == [Change.LEFT, None]
    assert hand.closed == 1


def test_an_empty_reader_is_no_trouble_but_a_missing_one_is() -> None:
    hand = Hand()
    slot = CardSlot(hand.open)
    slot.look()
    assert slot.trouble is None
    with pytest.raises(CardMissingError):
        _ = slot.connection
    hand.found = ReaderMissingError(reader="")
    slot.look()
    with pytest.raises(ReaderMissingError):
        _ = slot.connection
    hand.found = None
    slot.look()
    assert slot.trouble is None


def test_a_card_that_was_let_go_and_is_still_there_enters_anew() -> None:
    hand = Hand()
    hand.found = None
    slot = CardSlot(hand.open)
    slot.look()
    slot.let_go()
    slot.let_go()
    assert hand.closed == 1
    assert slot.look() is Change.ENTERED
