"""The line as ISO 7816-3 has it; what the chip needs on top; in virtual time."""

import pytest

from cardlib.codec.atr import Atr, TransmissionProtocol
from cardlib.errors import CardGoneError
from simulator.card.card import VirtualCard
from simulator.card.masks import CRS_ATR, GENERIC_T0_ATR
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.fault_options import with_faults
from simulator.faults import TearAfter, nth
from simulator.timing import (
    ChipTimes,
    Line,
    Timed,
    TimingModel,
    VirtualClock,
    offered_bit_rate,
)
from tests.unit.simulator.host import Host, purse_memory

T0, T1 = TransmissionProtocol.T0, TransmissionProtocol.T1
NOTHING = ChipTimes(0, 0, 0, 0)
SELECT_PURSE = bytes.fromhex("00A4080C041200B001")
READ_INFO = bytes.fromhex("00B0810011")


def etu(line: Line, command: bytes, answer: bytes) -> float:
    return line.ms(command, answer) * line.bit_rate / 1000


def test_a_crs_offers_115200_bits_a_second_and_the_shortest_guard_time() -> None:
    line = Line.of(CRS_ATR)
    assert line.bit_rate == 115_200
    assert (line.protocol, line.character_etu, line.ifsc) == (T1, 11, 254)


def test_without_pps_the_same_card_speaks_at_9600() -> None:
    assert Line.of(CRS_ATR, 9_600).ms(SELECT_PURSE, b"\x90\x00") == pytest.approx(
        12 * Line.of(CRS_ATR).ms(SELECT_PURSE, b"\x90\x00")
    )


@pytest.mark.parametrize(
    ("atr", "rate"),
    [
        ("3B00", 9_600),
        ("3B1011", 9_600),
        ("3B1013", 38_400),
        ("3B1094", 55_800),
        ("3B1096", 223_200),
        ("3B107F", 9_600),
    ],
)
def test_ta1_says_the_bit_rate(atr: str, rate: int) -> None:
    assert offered_bit_rate(Atr.decode(bytes.fromhex(atr))) == pytest.approx(rate)


def test_one_block_each_way_by_hand() -> None:
    # 9 + 4 and 2 + 4 characters of 11 etu; 22 instead of 11 at both turns
    line = Line(T1, 9_600, 11, 254)
    assert etu(line, SELECT_PURSE, b"\x90\x00") == pytest.approx(19 * 11 + 2 * 11)


def test_long_data_go_in_several_blocks_each_acknowledged() -> None:
    # 100 bytes in 4 blocks of 32 with 3 acknowledgements, then one block back
    line = Line(T1, 9_600, 12, 32)
    assert etu(line, bytes(100), b"\x90\x00") == pytest.approx(
        (102 + 4 * (5 + 3)) * 12 + 2 * 4 * 10
    )


def test_t0_by_hand() -> None:
    line = Line(T0, 9_600, 12, 32)
    # five bytes there, status back
    assert etu(line, bytes(5), b"\x90\x00") == pytest.approx(7 * 12 + 2 * 4)
    # header, procedure byte and 17 bytes and status back
    assert etu(line, READ_INFO, bytes(17) + b"\x90\x00") == pytest.approx(25 * 12 + 2 * 4)
    # header there, procedure byte back, 4 bytes there, status back
    assert etu(line, SELECT_PURSE, b"\x90\x00") == pytest.approx(12 * 12 + 4 * 4)


def test_a_t0_card_is_known_by_its_atr_and_garbage_is_taken_for_the_slowest() -> None:
    assert Line.of(GENERIC_T0_ATR).protocol is T0
    assert Line.of(b"\xff\xff").bit_rate == 9_600


def test_a_write_costs_pages_only_where_it_was_made() -> None:
    model = TimingModel(Line(T1, 1e9, 11, 254), ChipTimes(1, 100, 10, 1000))
    update = bytes.fromhex("0CDC001B00")
    assert model.ms(update, b"\x90\x00") == pytest.approx(1 + 2 * 10 + 2 * 100, abs=0.1)
    assert model.ms(update, b"\x69\x82") == pytest.approx(1 + 2 * 10, abs=0.1)
    assert model.ms(b"", b"") == pytest.approx(1, abs=0.1)


def test_a_timed_card_takes_virtual_time_and_no_other() -> None:
    clock = VirtualClock()
    card = VirtualCard(purse_memory(), SeededRandomness("timing"))
    timed = Timed(InProcessConnection(card), clock, TimingModel(Line(T1, 9_600, 11, 254), NOTHING))
    Host(timed).select_purse()
    assert timed.spent_ms == pytest.approx(231 * 1000 / 9_600)
    assert clock.monotonic_ms() == round(timed.spent_ms)
    assert clock.unix_ms() == 1_780_000_000_000 + 24


def test_a_lost_answer_has_cost_its_time_too() -> None:
    clock = VirtualClock()
    card = InProcessConnection(VirtualCard(purse_memory(), SeededRandomness("timing")))
    timed = Timed(TearAfter(card, nth(1)), clock)
    with pytest.raises(CardGoneError):
        timed.transmit(SELECT_PURSE)
    assert timed.spent_ms > 0


def test_time_can_be_asked_for_by_name() -> None:
    clocks = VirtualClock(), VirtualClock()
    for clock, name in zip(clocks, ("timed", "timed:9600"), strict=True):
        card = VirtualCard(purse_memory(), SeededRandomness("timing"))
        Host(with_faults(card, [name], clock).connection).select_purse()
    assert 0 < clocks[0].monotonic_ms() < clocks[1].monotonic_ms()
