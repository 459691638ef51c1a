"""What masks do in their own way: PIN references, file control information, file ends."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardlib.channel import Channel
from cardlib.codec import tlv
from cardlib.codec.atr import Atr
from cardlib.dialogues.blank_card import look
from cardlib.dialogues.inspect import inspect_card
from simulator.card.card import VirtualCard
from simulator.card.masks import (
    CNS_PIN,
    CNS_PUK,
    CRS_STINCARD,
    MASKS,
    mask_named,
)
from simulator.card.randomness import SeededRandomness
from simulator.card.traits import PinSearch
from simulator.connection import InProcessConnection
from simulator.errors import MaskError
from tests.unit.simulator.host import PIN, Host, padded, verify
from tests.unit.simulator.mask_cards import (
    ATHENA,
    CNS_1_1,
    OBERTHUR,
    SIEMENS,
    SIEMENS_C80A,
    host_of,
    memory_of,
    with_purse,
)

CNS_MASKS = [name for name, mask in MASKS.items() if mask.traits.cns]
ID_CARTA = "00A4080C0410001003"


def command(head: str, *digits: str) -> bytes:
    body = b"".join(map(padded, digits))
    return bytes.fromhex(head) + (bytes((len(body),)) + body if body else b"")


# PIN references -------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [name for name in CNS_MASKS if name != "generic-t0"])
def test_reference_10_is_the_cns_pin_wherever_one_stands(mask: str) -> None:
    host = host_of(mask)
    host.expect("00A4080C021100")
    host.expect(command("00200010", CNS_PIN))


@pytest.mark.parametrize(("mask", "found"), [(CRS_STINCARD, "9000"), (SIEMENS, "6A88")])
def test_reference_90_searches_upwards_on_some_masks_only(mask: str, found: str) -> None:
    host = host_of(mask)
    host.expect(command("00200090", CNS_PIN))
    host.expect("00A4080C021100")
    assert host.status(command("00200090", CNS_PIN)) == found


@pytest.mark.parametrize("mask", [CRS_STINCARD, SIEMENS, ATHENA, OBERTHUR, CNS_1_1])
def test_the_purse_pin_is_found_on_every_mask(mask: str) -> None:
    host = Host(VirtualCard(with_purse(memory_of(mask)), SeededRandomness("chip")))
    host.select_purse()
    host.expect(verify(PIN))


def test_the_cns_pin_is_changed_without_the_old_one_only_while_it_is_verified() -> None:
    host = host_of(CRS_STINCARD)
    implicit = command("00240110", "54321")
    assert host.status(implicit) == "6982"
    host.expect(command("00200010", CNS_PIN))
    assert host.status(command("00240110", "1")) == "6A80"
    host.expect(implicit)
    assert host.status(implicit) == "6982", "a change ends its being verified"
    host.expect(command("00200010", "54321"))


def test_a_purse_pin_is_never_changed_without_the_old_one() -> None:
    host = Host(VirtualCard(with_purse(memory_of(CRS_STINCARD)), SeededRandomness("chip")))
    host.select_purse()
    host.expect(verify(PIN))
    assert host.status(command("0024019C", "54321")) == "6A86"


@pytest.mark.parametrize("head", ["002C0110", "002C0310"])
def test_tries_come_back_with_the_puk_and_the_pin_stays(head: str) -> None:
    host = host_of(CRS_STINCARD)
    for _ in range(3):
        host.send(command("00200010", "99999"))
    assert host.status(command("00200010", CNS_PIN)) == "6983"
    if head == "002C0310":
        assert host.status(head) == "6982"
        host.expect(command("00200011", CNS_PUK))
        host.expect(head)
    else:
        assert host.status(command(head, "00000000")) == "63C2"
        host.expect(command(head, CNS_PUK))
    host.expect(command("00200010", CNS_PIN))


# File control information ---------------------------------------------------------------


def objects(mask: str, path: str) -> tuple[int, dict[int, bytes]]:
    host = host_of(mask)
    (template,) = tlv.decode(host.expect(f"00A40800{len(path) // 2:02X}{path}00"))
    return template.tag, {item.tag: item.value for item in tlv.decode(template.value)}


@pytest.mark.parametrize(
    ("mask", "template", "descriptor", "size", "total", "access"),
    [
        (CRS_STINCARD, 0x6F, "01", "0010", None, "00FFFFFFFFFFFFFFFF"),
        (SIEMENS, 0x6F, "01FFFF", "0010", None, "00FFFFFFFFFFFFFFFF"),
        (SIEMENS_C80A, 0x6F, "01FFFF", "0010", None, "00"),
        (ATHENA, 0x62, "01", "0010", "0020", "00FFFFFFFFFFFFFFFF"),
        (OBERTHUR, 0x62, "01", "0010", "0020", "00"),
    ],
)
def test_a_file_is_described_in_the_masks_words(
    mask: str, template: int, descriptor: str, size: str, total: str | None, access: str
) -> None:
    tag, found = objects(mask, "10001003")
    assert tag == template
    assert found[0x82].hex().upper() == descriptor
    assert found[0x80].hex() == size
    assert (found[0x81].hex() if 0x81 in found else None) == total
    assert found[0x86].hex().upper() == access
    assert found[0x83].hex() == "1003"


def test_a_directory_has_its_size_on_siemens_masks() -> None:
    assert objects(CRS_STINCARD, "1000")[1][0x85].hex() == "01"
    assert objects(SIEMENS, "1000")[1][0x85].hex() == "01" + f"{32 + 16:04x}"
    assert objects(SIEMENS_C80A, "1000")[1][0x86].hex() == "00" * 9


# The end of a file ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mask", "short", "at_end", "beyond"),
    [
        (CRS_STINCARD, "6282", "6282", "6B00"),
        (SIEMENS_C80A, "6282", "6282", "6282"),
        (ATHENA, "9000", "9000", "6B00"),
        (OBERTHUR, "9000", "9000", "6282"),
    ],
)
def test_reading_at_the_end_of_a_file(mask: str, short: str, at_end: str, beyond: str) -> None:
    host = host_of(mask)
    host.expect(ID_CARTA)
    answer = host.send("00B00004FF")
    assert (len(answer.data), f"{answer.status:04X}") == (12, short)
    assert host.send("00B0001001").data == b""
    assert host.status("00B0001001") == at_end
    assert host.status("00B0001101") == beyond


@pytest.mark.parametrize("mask", CNS_MASKS)
def test_the_desk_reads_the_same_of_every_mask(mask: str) -> None:
    """Whatever a mask says at the end of a file: serial, certificate, personal data."""
    memory = memory_of(mask)
    channel = Channel(InProcessConnection(VirtualCard(memory, SeededRandomness("chip"))))
    blank = channel.run(look())
    person = memory.find((0x1100,))
    assert person is not None
    certificate, data = (file.content for file in person.files)
    assert (blank.serial, blank.certificate, blank.personal_data) == (
        memory.serial, certificate, data,
    )  # fmt: skip
    assert channel.run(inspect_card()).card_id == memory.serial


# Lengths --------------------------------------------------------------------------------


def sign(host: Host, send: Callable[[bytes], None], size: int) -> None:
    host.expect(command("00200010", CNS_PIN))
    host.expect("0022F30300")
    host.expect("0022F1B803830101")
    send(b"\x00" + b"\x00\x01" + bytes(size - 2))


def test_cns_1_0_takes_short_commands_only() -> None:
    host = host_of(CRS_STINCARD)
    assert host.status("00A4080C00000210 00") == "6700"
    assert host.status("00B00000000100") == "6700"
    assert host.status("102A808681" + "00" * 129) == "6E00"


@pytest.mark.parametrize("mask", [CNS_1_1, "cns-infocamere-11"])
def test_cns_1_1_signs_2048_bits_by_an_extended_command(mask: str) -> None:
    host = host_of(mask)

    def send(data: bytes) -> None:
        answer = host.expect(b"\x00\x2a\x80\x86\x00\x01\x01" + data + b"\x01\x00")
        assert len(answer) == 256

    sign(host, send, 256)


def test_cns_1_1_signs_by_a_chain_of_short_commands() -> None:
    host = host_of(CNS_1_1)

    def send(data: bytes) -> None:
        host.expect(b"\x10\x2a\x80\x86\xff" + data[:255])
        assert len(host.expect(b"\x00\x2a\x80\x86\x02" + data[255:] + b"\x00")) == 256

    sign(host, send, 256)


def test_a_chain_is_ended_by_another_command_and_by_too_much() -> None:
    host = host_of(CNS_1_1)
    part = b"\x10\x2a\x80\x86\xff" + bytes(255)
    host.expect(part)
    assert host.status("0084000008") == "6883"
    host.expect("0084000008")
    host.expect(part)
    host.expect(part)
    assert host.status(part) == "6700"
    host.expect("0084000008")


# All of them ----------------------------------------------------------------------------


@pytest.mark.parametrize("mask", CNS_MASKS)
def test_a_mask_is_a_cns_by_opensc_s_rule_and_says_whose_word_its_atr_is(mask: str) -> None:
    """15 historical bytes, "CNS" in the tenth to twelfth, 31 80 at the end."""
    made = mask_named(mask)
    historical = Atr.decode(made.atr).historical
    assert len(historical) == 15
    assert historical[9:12] == b"CNS"
    assert historical[13:] == b"\x31\x80"
    assert ("pcsc-tools" in made.source) is (mask != "generic-t0")
    assert ("fictitious" in made.about) is (mask == "generic-t0")


def test_a_card_of_a_mask_that_nobody_knows_is_not_played() -> None:
    memory = memory_of(CRS_STINCARD)
    memory.mask = "gold"
    with pytest.raises(MaskError) as caught:
        VirtualCard(memory, SeededRandomness("chip"))
    assert caught.value.code == "CARD_MASK_UNKNOWN"


def test_only_stincard_masks_search_upwards() -> None:
    for mask in (mask_named(name) for name in CNS_MASKS if name != "generic-t0"):
        stincard = Atr.decode(mask.atr).historical[3] == 0x09
        assert (mask.traits.pin_search is PinSearch.UPWARD) is stincard


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([CRS_STINCARD, SIEMENS_C80A, OBERTHUR]),
    st.integers(0, 60),
    st.integers(0, 255),
)
def test_no_read_gives_more_than_the_file_holds(mask: str, offset: int, le: int) -> None:
    memory = memory_of(mask)
    host = Host(VirtualCard(memory, SeededRandomness("chip")))
    host.expect(ID_CARTA)
    answer = host.send(bytes((0x00, 0xB0, offset >> 8, offset & 0xFF, le)))
    assert answer.data == memory.serial.encode()[offset : offset + (le or 256)]
