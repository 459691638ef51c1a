"""READ BINARY and READ RECORD: lengths, ends, conditions."""

import pytest

from cardlib.codec.apdu import Response
from tests.unit.simulator.host import HOST_RANDOM, Host, aes_vectors, host_of, mac, purse_memory

INFO = bytes.fromhex(aes_vectors()["info"])
SPEND_4 = bytes.fromhex(aes_vectors()["spend_4"])


@pytest.fixture
def selected(host: Host) -> Host:
    host.select_purse()
    return host


@pytest.fixture
def reading(selected: Host) -> Host:
    selected.expect(b"\x80\x86\x00\x00\x08" + HOST_RANDOM)
    return selected


@pytest.mark.parametrize(
    ("command", "data", "status"),
    [
        ("00B0810011", INFO, 0x9000),
        ("00B0810005", INFO[:5], 0x9000),
        ("00B0810C04", INFO[12:16], 0x9000),
        ("00B0810000", INFO, 0x9000),
        ("00B0810012", INFO, 0x6282),
        ("00B0811011", INFO[16:], 0x6282),
        ("00B0811101", b"", 0x6282),
        ("00B0811100", b"", 0x6282),
        ("00B0811201", b"", 0x6B00),
        ("00B0840011", b"", 0x6A82),
        ("00B0820011", b"", 0x6981),
        ("00B0C10011", b"", 0x6A86),
        ("00B00000", b"", 0x6986),
        ("00B08100", b"", 0x6700),
        ("0CB0810011", b"", 0x6882),
    ],
)
def test_info_is_read_plain_up_to_its_end(
    selected: Host, command: str, data: bytes, status: int
) -> None:
    assert selected.send(command) == Response(data, status)


def test_the_selected_file_is_read_without_a_short_id(selected: Host) -> None:
    assert selected.status("00B0000011") == "6986"
    selected.expect("00A4000C02B101")
    assert selected.expect("00B0000011") == INFO


def test_reading_by_short_id_makes_the_file_current(selected: Host) -> None:
    selected.expect("00B0810011")
    assert selected.expect("00B0000C04") == INFO[12:16]


@pytest.mark.parametrize("number", [1, 2, 20])
def test_every_record_of_the_ring_is_read_with_a_mac_even_an_empty_one(
    reading: Host, number: int
) -> None:
    answer = reading.expect(f"0CB2{number:02X}1C42")
    header = bytes((0x0C, 0xB2, number, 0x1C))
    assert answer[:2] == b"\x81\x36"
    assert answer[56:58] == b"\x8e\x08"
    assert answer[58:] == mac(reading.keys[3], HOST_RANDOM, header, answer[:56])


def test_an_attested_read_is_under_the_key_that_only_the_backend_knows(reading: Host) -> None:
    reading.expect("002221B403830104")
    answer = reading.expect("0CB2011C42")
    code = mac(reading.keys[4], HOST_RANDOM, bytes.fromhex("0CB2011C"), b"\x81\x36" + SPEND_4)
    assert answer.endswith(code)


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("0CB2011D42", "6A86"),
        ("0CB2011A42", "6A86"),
        ("0CB2012442", "6A82"),
        ("0CB2010C42", "6981"),
        ("0CB2010442", "6986"),
        ("0CB2001C42", "6A83"),
        ("0CB2151C42", "6A83"),
        ("0CB209146B", "6A83"),
        ("0CB2011C41", "6C42"),
        ("0CB2011C", "6700"),
        ("0CB2011C028E0000", "6988"),
        ("00B2011C42", "6982"),
        ("00B201146B", "6982"),
        ("00DC001B36" + "00" * 54, "6982"),
        ("00DC02145F" + "00" * 95, "6982"),
        ("00D6811001AA", "6982"),
    ],
)
def test_records_are_read_under_secure_messaging_only(
    reading: Host, command: str, status: str
) -> None:
    assert reading.status(command) == status


def test_a_record_is_not_read_before_the_host_gave_its_random(selected: Host) -> None:
    selected.expect("0084000008")
    assert selected.status("0CB2011C42") == "6985"


def test_the_random_stays_for_many_reads_until_replaced(reading: Host) -> None:
    first = reading.expect("0CB2011C42")
    assert reading.expect("0CB2011C42") == first
    reading.expect("80860000081111111111111111")
    assert reading.expect("0CB2011C42") != first


@pytest.mark.parametrize("command", ["8086000007" + "00" * 7, "8086000009" + "00" * 9, "80860000"])
def test_a_random_of_another_length_is_refused_and_replaces_nothing(
    reading: Host, command: str
) -> None:
    before = reading.expect("0CB2011C42")
    assert reading.status(command) == "6700"
    assert reading.expect("0CB2011C42") == before


def test_records_of_a_directory_without_them_do_not_exist() -> None:
    host = host_of(purse_memory())
    host.expect("00A4080C021200")
    host.expect(b"\x80\x86\x00\x00\x08" + HOST_RANDOM)
    assert host.status("0CB2011C42") == "6A82"
