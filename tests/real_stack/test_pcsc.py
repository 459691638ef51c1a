"""Our own PC/SC connection, through the real pcscd and its virtual reader."""

import pytest

from cardlib import pcsc
from cardlib.channel import Channel
from cardlib.dialogues.inspect import inspect_card
from cardlib.errors import CardGoneError, CardMissingError, ReaderMissingError
from simulator.card.card import VirtualCard
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.faults import TearBefore, nth
from simulator.private_pcscd import PrivatePcscd
from tests.real_stack.pcscd import Insert
from tests.unit.simulator.host import Host, padded, purse_memory

pytestmark = pytest.mark.pcsc

VERIFY = bytes.fromhex("0020009C08") + padded("12345")
READ_INFO = bytes.fromhex("00B0810011")


@pytest.fixture
def card() -> VirtualCard:
    return VirtualCard(purse_memory(), SeededRandomness("pcsc"))


def test_the_card_in_a_reader_is_the_card_in_the_process(card: VirtualCard, insert: Insert) -> None:
    here = Channel(InProcessConnection(card)).run(inspect_card())
    insert(card)
    connection = pcsc.connect("Virtual PCD")

    assert Channel(connection).run(inspect_card()) == here
    assert connection.atr == card.atr
    connection.close()


def test_an_empty_reader_and_a_missing_reader_are_two_things(pcscd: PrivatePcscd) -> None:
    with pytest.raises(CardMissingError):
        pcsc.connect(pcscd.reader_name(0))
    with pytest.raises(ReaderMissingError):
        pcsc.connect("no such reader")


def test_the_first_reader_with_a_card_is_taken_when_none_is_named(
    card: VirtualCard, insert: Insert, pcscd: PrivatePcscd
) -> None:
    insert(card, slot=1)
    connection = pcsc.connect()

    assert connection.reader == pcscd.reader_name(1)
    connection.close()


def test_a_card_pulled_in_the_middle_is_gone_and_not_half_answered(
    card: VirtualCard, insert: Insert
) -> None:
    torn = TearBefore(InProcessConnection(card), nth(2))
    insert(torn, reinsert=torn.reinsert)
    connection = pcsc.connect()
    connection.transmit(bytes.fromhex("00A4080C041200B001"))

    with pytest.raises(CardGoneError):
        connection.transmit(bytes.fromhex("00B0810011"))
    connection.close()


def test_whoever_comes_next_does_not_inherit_the_pin(card: VirtualCard, insert: Insert) -> None:
    insert(card)
    first = pcsc.connect()
    host = Host(first)
    host.open_purse()
    assert first.transmit(VERIFY) == b"\x90\x00"
    first.close()
    second = pcsc.connect()

    assert second.transmit(READ_INFO)[-2:] != b"\x90\x00", "the purse is still open"
    second.close()


def test_a_reset_clears_the_pin_and_the_card_goes_on(card: VirtualCard, insert: Insert) -> None:
    insert(card)
    connection = pcsc.connect()
    host = Host(connection)
    host.open_purse()
    connection.transmit(VERIFY)
    connection.reset()

    assert connection.transmit(READ_INFO)[-2:] != b"\x90\x00", "the purse is still open"
    host.open_purse()
    connection.close()


def test_readers_are_listed_by_name(pcscd: PrivatePcscd) -> None:
    assert pcsc.readers() == [pcscd.reader_name(0), pcscd.reader_name(1)]
