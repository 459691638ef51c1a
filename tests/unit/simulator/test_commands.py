"""Which commands exist, and that no bytes whatever bring the card down."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardlib.codec.apdu import Response
from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.randomness import SeededRandomness
from tests.unit.simulator.host import Host, host_of, purse_memory


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("00E2001B36" + "00" * 54, "6D00"),
        ("0CE2001B36" + "00" * 54, "6D00"),
        ("00D2001B36" + "00" * 54, "6D00"),
        ("0CD2001B36" + "00" * 54, "6D00"),
        ("0082000008" + "00" * 8, "6D00"),
        ("0088000008" + "00" * 8, "6D00"),
        ("00E4000002B001", "6D00"),
        ("00CADF3005", "6D00"),
        ("00CB3FFF035C017E08", "6D00"),
        ("00C0000010", "6D00"),
        ("0C84000000", "6882"),
        ("0CA4080C021200", "6882"),
        ("0C20009C08" + "00" * 8, "6882"),
        ("0C24009C10" + "00" * 16, "6882"),
        ("0C22000000", "6882"),
        ("08B2011C42", "6882"),
        ("8C86000008" + "00" * 8, "6882"),
        ("01B0810011", "6881"),
        ("80B0810011", "6E00"),
        ("0086000008" + "00" * 8, "6E00"),
        ("90240083" + "00", "6E00"),
        ("FFCA000000", "6D00"),
    ],
)
def test_what_does_not_exist_says_so(purse: Host, command: str, status: str) -> None:
    assert purse.status(command) == status


@pytest.mark.parametrize("apdu", ["", "00", "00A408", "00A4080C05", "00A4080C041200B001FFFF"])
def test_bytes_that_are_no_command_are_of_the_wrong_length(purse: Host, apdu: str) -> None:
    assert purse.status(apdu) == "6700"


def test_without_power_there_is_no_answer() -> None:
    card = VirtualCard(purse_memory(), SeededRandomness("power"))
    card.power_off()
    assert card.transmit(bytes.fromhex("00A4000C023F00")) == b""
    assert card.atr
    card.power_on()
    assert card.transmit(bytes.fromhex("00A4000C023F00")) == b"\x90\x00"


HEADERS = st.sampled_from(
    [
        *("00A40000", "00A4080C", "00A40900", "00B08100", "00B00000", "00D68110", "0CD68110"),
        *("0CB2011C", "0CB20114", "0CDC001B", "0CDC0214", "0020009C", "0024009C", "002C009C"),
        *("0C2C029C", "00840000", "80860000", "002221B4", "0022F303", "0022F1B8", "002A8086"),
        *("002A9E9A", "0CE00000", "0CDA016E", "0C440000", "9C240083", "9C24009C"),
    ]
).map(bytes.fromhex)
BODIES = st.one_of(
    st.binary(max_size=80),
    st.sampled_from([b"\x04\x12\x00\xb0\x01", b"\x08", b"\x0a\x8e\x08" + bytes(8) + b"\x00"]),
    st.binary(max_size=60).map(lambda data: bytes((len(data),)) + data + b"\x00"),
)
COMMANDS = st.one_of(
    st.binary(max_size=300), st.builds(lambda head, body: head + body, HEADERS, BODIES)
)


@settings(max_examples=300, deadline=None)
@given(st.lists(COMMANDS, max_size=12))
def test_no_command_brings_the_card_down(commands: list[bytes]) -> None:
    host = host_of(purse_memory())
    host.open_purse()
    for command in commands:
        assert host.send(command).status != 0x6F00
    assert isinstance(host.card, VirtualCard)
    assert image.decode(image.encode(host.card.memory)) == host.card.memory
    host.card.reset()
    assert Response.decode(host.card.transmit(bytes.fromhex("00A4080C021200"))).ok


@settings(max_examples=200, deadline=None)
@given(st.lists(COMMANDS, max_size=12))
def test_without_keys_nobody_changes_a_purse(commands: list[bytes]) -> None:
    host = host_of(purse_memory())
    host.open_purse()
    assert isinstance(host.card, VirtualCard)
    purse = host.card.memory.find((0x1200, 0xB001))
    assert purse is not None
    before = ([list(file.records) for file in purse.files], dict(purse.keys))
    for command in commands:
        host.send(command)
    assert ([list(file.records) for file in purse.files], dict(purse.keys)) == before
