"""The virtual T=0 card, told TPDU by TPDU what a T=0 reader would send."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardlib.channel import Channel
from cardlib.codec.apdu import Command
from simulator.card.card import VirtualCard
from simulator.card.masks import CNS_PIN, TRAINING_TRANSPORT_KEYS, make_card
from simulator.card.masks.t0 import GENERIC_T0
from simulator.card.personal import Holder
from simulator.card.purses import add_purse
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from tests.unit.simulator.host import PIN, PUK, Host, aes_vectors, padded, purse_keys, verify

MEMORY = make_card(GENERIC_T0, SeededRandomness("t0"), Holder(), TRAINING_TRANSPORT_KEYS)
SERIAL = MEMORY.serial.encode().hex().upper()
SELECT_ID, SELECT_ID_FCI = "00A4080C0410001003", "00A408000410001003"


@pytest.fixture
def host() -> Host:
    return Host(VirtualCard(MEMORY, SeededRandomness("t0")))


def test_an_answer_to_data_is_announced_and_fetched(host: Host) -> None:
    assert host.status(SELECT_ID_FCI) == "611B"
    fci = host.expect("00C000001B")
    assert fci[:2] == b"\x6f\x19"
    assert host.status("00C000001B") == "6985"


def test_an_answer_may_be_fetched_in_pieces(host: Host) -> None:
    host.send(SELECT_ID_FCI)
    parts = host.expect("00C0000002", "6119") + host.expect("00C0000019")
    host.send(SELECT_ID_FCI)
    assert host.expect("00C000001B") == parts


def test_too_much_asked_is_answered_with_the_right_length_and_keeps_the_answer(host: Host) -> None:
    host.send(SELECT_ID_FCI)
    assert host.status("00C0000000") == "6C1B"
    assert len(host.expect("00C000001B")) == 0x1B


@pytest.mark.parametrize("between", ["0084000008", "00A4000C023F00", "FFFFFFFF00"])
def test_any_other_command_drops_what_was_not_fetched(host: Host, between: str) -> None:
    host.send(SELECT_ID_FCI)
    host.send(between)
    assert host.status("00C000001B") == "6985"


def test_a_reset_drops_what_was_not_fetched(host: Host) -> None:
    host.send(SELECT_ID_FCI)
    assert isinstance(host.card, VirtualCard)
    host.card.reset()
    assert host.status("00C000001B") == "6985"


def test_a_read_beyond_the_end_is_told_what_there_is(host: Host) -> None:
    host.expect(SELECT_ID)
    assert host.status("00B00000FF") == "6C10"
    assert host.status("00B0000000") == "6C10"
    assert host.expect("00B0000010").hex().upper() == SERIAL
    assert host.expect("00B0000004").hex().upper() == SERIAL[:8]
    assert host.status("00B0001001") == "6282"
    assert host.status("00B0001101") == "6B00"


@pytest.mark.parametrize(
    "sent", ["", "00", "00A4000C", "0084", SELECT_ID + "00", SELECT_ID[:-2], "00D60000000001AA"]
)
def test_what_is_no_tpdu_is_refused(host: Host, sent: str) -> None:
    assert host.status(sent) == "6700"


def test_a_command_without_data_has_a_fifth_byte(host: Host) -> None:
    assert host.status("0022F30300") == "9000"
    assert host.status("0022F303") == "6700"


def test_the_cns_key_signs_and_the_signature_is_fetched(host: Host) -> None:
    host.expect(bytes.fromhex("0020001008") + padded(CNS_PIN))
    host.expect("0022F30300")
    host.expect("0022F1B803830101")
    block = b"\x00\x01" + b"\xff" * 100 + b"\x00" + bytes(25)
    assert host.status(b"\x00\x2a\x80\x86\x81\x00" + block) == "6180"
    signature = host.expect("00C0000080")
    numbers = _public_numbers()
    assert pow(int.from_bytes(signature, "big"), numbers[1], numbers[0]) == int.from_bytes(
        block, "big"
    )


def _public_numbers() -> tuple[int, int]:
    file = MEMORY.mf.file(0x3F01)
    assert file is not None
    return int.from_bytes(file.content[7 : 7 + 128], "big"), 65537


def test_a_malformed_secured_write_loses_its_challenge_here_too() -> None:
    memory = make_card(GENERIC_T0, SeededRandomness("t0"), Holder(), TRAINING_TRANSPORT_KEYS)
    suite = aes_vectors()
    add_purse(
        memory, info=bytes.fromhex(suite["info"]), keys=purse_keys(), pin=PIN, puk=PUK,
        spends=[bytes.fromhex(suite["spend_4"])],
    )  # fmt: skip
    host = Host(VirtualCard(memory, SeededRandomness("t0")))
    host.select_purse()
    host.exchange_randoms()
    host.expect(verify(PIN))
    record = host.plain_object(bytes.fromhex(suite["spend_4"]))
    good = host.secured("0CDC001B", record, 2)[:-1]
    assert host.status(good + b"\x00") == "6700"
    assert host.status(good) == "6985"


def test_a_channel_reads_a_file_of_unknown_length() -> None:
    channel = Channel(InProcessConnection(VirtualCard(MEMORY, SeededRandomness("t0"))))
    assert channel.send(Command(0, 0xA4, 8, 0, bytes.fromhex("10001003"), le=256)).data[:1] == b"o"
    assert channel.send(Command(0, 0xB0, 0, 0, le=256)).data.hex().upper() == SERIAL


TPDUS = st.one_of(
    st.binary(max_size=12),
    st.builds(
        lambda ins, p1p2, data: bytes((0, ins, *p1p2, len(data))) + data,
        st.sampled_from([0x20, 0x22, 0x2A, 0x84, 0xA4, 0xB0, 0xC0, 0xD6]),
        st.sampled_from([(0, 0), (8, 0), (8, 0x0C), (0, 0x10), (0x80, 0x86)]),
        st.sampled_from([b"", bytes.fromhex("10001003"), bytes.fromhex("3F00"), bytes(16)]),
    ),
)


@settings(max_examples=150)
@given(st.lists(TPDUS, max_size=10))
def test_no_tpdu_makes_the_card_fail_or_say_more_than_was_asked(tpdus: list[bytes]) -> None:
    card = VirtualCard(MEMORY, SeededRandomness("t0"))
    for tpdu in tpdus:
        answer = card.transmit(tpdu)
        assert answer[-2:] != b"\x6f\x00"
        p3 = (tpdu[4] or 256) if len(tpdu) > 4 else 0
        assert len(answer) == 2 or (len(tpdu) == 5 and len(answer) - 2 == p3)
