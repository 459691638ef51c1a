"""What the fuzzers have found, so that it stays mended."""

from simulator.card.card import VirtualCard
from simulator.card.masks import GENERIC_T0
from simulator.card.randomness import SeededRandomness
from tests.fuzz.dialogues import recordings, with_purse

UNBLOCK = bytes.fromhex("002C009C10") + b"12345678" + b"24680\xff\xff\xff"


def test_a_t0_card_answers_before_it_was_ever_reset() -> None:
    card = VirtualCard(with_purse(GENERIC_T0), SeededRandomness("never reset"))
    assert card.transmit(bytes.fromhex("00A4080C041200B001")) == b"\x90\x00"


def test_a_pin_whose_puk_is_not_there_yet_is_not_unblocked() -> None:
    """In the middle of a personalisation, between two PUT DATA."""
    recording = next(item for item in recordings() if item.name == "personalisation")
    card, answers = recording.card(), set()
    for command in recording.commands:
        card.transmit(command)
        answers.add(card.transmit(UNBLOCK))
    assert b"\x6f\x00" not in answers
    assert b"\x69\x82" in answers
