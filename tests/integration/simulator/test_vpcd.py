"""The virtual reader's protocol, spoken with a stand-in for pcscd over a real socket."""

import logging
from collections.abc import Iterator

import pytest

from cardlib.system import SystemClock
from simulator.card.card import VirtualCard
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.errors import ReaderLinkError
from simulator.faults import Shim, TearAfter, nth
from simulator.vpcd import VirtualReader, parse_address
from tests.integration.simulator.reader_stand_in import ATR, OFF, ON, RESET, ReaderStandIn
from tests.unit.simulator.host import Host, aes_vectors, purse_memory

CLOCK = SystemClock()
SPEND_5 = bytes.fromhex(aes_vectors()["spend_5"])


@pytest.fixture
def card() -> VirtualCard:
    return VirtualCard(purse_memory(), SeededRandomness("vpcd"))


@pytest.fixture
def reader() -> Iterator[ReaderStandIn]:
    with ReaderStandIn() as stand_in:
        yield stand_in


def test_the_card_tells_its_atr_and_answers(card: VirtualCard, reader: ReaderStandIn) -> None:
    with VirtualReader(InProcessConnection(card), reader.address):
        reader.accept()
        assert reader.ask(ATR) == card.atr
        reader.control(ON)
        assert reader.ask("00A4080C041200B001") == b"\x90\x00"


def test_asking_for_the_atr_touches_nothing_even_without_power(
    card: VirtualCard, reader: ReaderStandIn
) -> None:
    with VirtualReader(InProcessConnection(card), reader.address):
        reader.accept()
        host = Host(reader)
        host.open_purse()
        for _ in range(5):
            assert reader.ask(ATR) == card.atr
        host.expect(host.spend(SPEND_5))
        reader.control(OFF)
        assert reader.ask(ATR) == card.atr


@pytest.mark.parametrize("control", [OFF, ON, RESET])
def test_power_and_reset_clear_what_was_verified(
    card: VirtualCard, reader: ReaderStandIn, control: bytes
) -> None:
    with VirtualReader(InProcessConnection(card), reader.address):
        reader.accept()
        host = Host(reader)
        host.open_purse()
        reader.control(control)
        reader.control(ON)
        host.select_purse()
        host.exchange_randoms()
        assert host.status(host.spend(SPEND_5)) == "6982"


def test_unknown_control_messages_are_passed_over(card: VirtualCard, reader: ReaderStandIn) -> None:
    with VirtualReader(InProcessConnection(card), reader.address):
        reader.accept()
        reader.control(b"\x7f")
        assert reader.ask(ATR) == card.atr


def test_an_empty_frame_is_answered_as_a_command_too_short(
    card: VirtualCard, reader: ReaderStandIn
) -> None:
    with VirtualReader(InProcessConnection(card), reader.address):
        reader.accept()
        assert reader.ask(b"") == b"\x67\x00"


def test_a_torn_card_hangs_up_and_is_put_back(card: VirtualCard, reader: ReaderStandIn) -> None:
    torn = TearAfter(InProcessConnection(card), nth(2))
    started = CLOCK.monotonic_ms()
    with VirtualReader(torn, reader.address, reinsert=torn.reinsert):
        reader.accept()
        reader.ask("00A4080C041200B001")
        assert reader.ask("00B0810011") is None
        reader.accept()
        assert CLOCK.monotonic_ms() - started >= 500
        assert reader.ask("00B0810011") == b"\x6a\x82"


def test_a_bug_hangs_up_and_the_card_comes_back(
    card: VirtualCard, reader: ReaderStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Shim):
        def transmit(self, apdu: bytes) -> bytes:
            raise RuntimeError(f"a bug at {apdu.hex()}")

    with VirtualReader(Broken(InProcessConnection(card)), reader.address):
        reader.accept()
        assert reader.ask("00B0810011") is None
        reader.accept()
        assert reader.ask(ATR) == card.atr
    assert "taken out of the reader" in caplog.text


def test_the_card_waits_for_a_reader_and_for_the_next_one(card: VirtualCard) -> None:
    with ReaderStandIn() as first:
        address = first.address
    with VirtualReader(InProcessConnection(card), address) as link:
        assert not link.connected.wait(0.3)


def test_the_card_connects_again_when_the_reader_hangs_up(
    card: VirtualCard, reader: ReaderStandIn
) -> None:
    with VirtualReader(InProcessConnection(card), reader.address):
        for _ in range(3):
            reader.accept()
            assert reader.ask(ATR) == card.atr
            reader.hang_up()


def test_stop_hangs_up_at_once(card: VirtualCard, reader: ReaderStandIn) -> None:
    link = VirtualReader(InProcessConnection(card), reader.address)
    link.start()
    reader.accept()
    assert reader.ask(ATR) == card.atr
    started = CLOCK.monotonic_ms()
    link.stop()
    assert reader.is_hung_up()
    assert CLOCK.monotonic_ms() - started < 2000


def test_every_command_is_traced_with_its_answer(card: VirtualCard, reader: ReaderStandIn) -> None:
    seen: list[tuple[bytes, bytes | None]] = []
    torn = TearAfter(InProcessConnection(card), nth(2))
    with VirtualReader(torn, reader.address, lambda *pair: seen.append(pair), torn.reinsert):
        reader.accept()
        reader.ask("00A4080C041200B001")
        reader.ask("00B0810011")
        reader.accept()
    assert seen == [
        (bytes.fromhex("00A4080C041200B001"), b"\x90\x00"),
        (bytes.fromhex("00B0810011"), None),
    ]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:35963", ("127.0.0.1", 35963)),
        (":4000", ("127.0.0.1", 4000)),
        ("4000", ("127.0.0.1", 4000)),
        ("reader.example:1", ("reader.example", 1)),
    ],
)
def test_addresses_are_understood(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "host", "host:", "host:0", "host:65536", "host:-1"])
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(ReaderLinkError) as caught:
        parse_address(text)
    assert caught.value.code == "READER_ADDRESS"


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
