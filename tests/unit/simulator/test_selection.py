"""SELECT FILE: what it finds, what it answers, and what it leaves alone when it fails."""

import pytest

from cardlib.codec import tlv
from simulator.card.card import VirtualCard
from simulator.card.masks import CRS_STINCARD, TRAINING_TRANSPORT_KEYS, make_card
from simulator.card.personal import Holder
from simulator.card.randomness import SeededRandomness
from tests.unit.simulator.host import HOST_RANDOM, Host, aes_vectors, host_of, verify

READ_NEWEST = "0CB2011C42"


@pytest.fixture(scope="module")
def crs() -> Host:
    memory = make_card(CRS_STINCARD, SeededRandomness(7), Holder(), TRAINING_TRANSPORT_KEYS)
    return host_of(memory)


@pytest.mark.parametrize(
    "command",
    [
        "00A4000C023F00",
        "00A4000C",
        "00A4080C041000 1003",
        "00A4080C0411001102",
        "00A4080C021200",
        "00A4000C021000",
    ],
)
def test_files_are_found_by_id_and_by_path(crs: Host, command: str) -> None:
    crs.expect("00A4000C023F00")
    crs.expect(command)


def test_sibling_parent_and_path_from_here(crs: Host) -> None:
    crs.expect("00A4080C021000")
    crs.expect("00A4000C021100")
    crs.expect("00A4090C021102")
    crs.expect("00A4030C")
    crs.expect("00A4000C022F02")


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("00A4080C021999", "6A82"),
        ("00A4080C0410031000", "6A82"),
        ("00A4080C0A2F0220022003200420 05", "6A82"),
        ("00A4040007A0000000031000", "6A82"),
        ("00A4020C022F02", "6A86"),
        ("00A4000102 3F00", "6A86"),
        ("00A4080C03120000", "6700"),
        ("00A4000C03120000", "6700"),
        ("00A4030C023F00", "6700"),
        ("00A4080C", "6700"),
        ("00A4080C021200B001", "6700"),
    ],
)
def test_what_is_not_there_or_not_so_is_refused(crs: Host, command: str, status: str) -> None:
    crs.expect("00A4000C023F00")
    assert crs.status(command) == status


def test_the_master_file_has_no_parent(crs: Host) -> None:
    crs.expect("00A4000C023F00")
    assert crs.status("00A4030C") == "6A82"


def test_the_control_information_of_a_file_is_the_verified_minimum(crs: Host) -> None:
    answer = crs.expect("00A40800041000100300")
    assert answer.hex() == "6f1980020010820101830210038501018609" + "00" + "ff" * 8


def test_the_control_information_of_a_directory_has_no_size(crs: Host) -> None:
    answer = crs.expect("00A4080002100000")
    assert answer.hex() == "6f16820238ff830210008501018609" + "00" * 9


def test_the_control_information_of_a_record_file_tells_its_records(host: Host) -> None:
    host.select_purse()
    (outer,) = tlv.decode(host.expect("00A4000002B10300"))
    objects = tlv.decode(outer.value)
    assert tlv.find(objects, 0x80) == (20 * 54).to_bytes(2, "big")
    assert tlv.find(objects, 0x82) == bytes.fromhex("0601003614")
    assert tlv.find(objects, 0x88) == bytes((3 << 3,))


def test_without_an_expected_length_no_control_information_is_sent(crs: Host) -> None:
    assert crs.expect("00A4080004 10001003") == b""


def test_a_failed_select_changes_nothing(purse: Host) -> None:
    purse.expect("002221B403830104")
    attested = purse.expect(READ_NEWEST)
    for failing in ("00A4080C041200B002", "00A4090C027777", "00A4020C02B101", "00A4080C"):
        purse.send(failing)
    assert purse.expect(READ_NEWEST) == attested
    purse.expect(purse.spend(bytes.fromhex(aes_vectors()["spend_5"])))


@pytest.mark.parametrize(
    "select",
    ["00A4080C041200B001", "00A4080C021200", "00A4000C023F00", "00A4000C02B001", "00A4030C"],
)
def test_selecting_any_directory_clears_challenge_random_and_pin(purse: Host, select: str) -> None:
    record = bytes.fromhex(aes_vectors()["spend_5"])
    update = purse.spend(record)
    purse.expect(select)
    purse.expect("00A4080C041200B001")
    assert purse.status(READ_NEWEST) == "6985"
    purse.expect(b"\x80\x86\x00\x00\x08" + HOST_RANDOM)
    assert purse.status(update) == "6985"
    purse.exchange_randoms()
    assert purse.status(purse.spend(record)) == "6982"


def test_selecting_a_file_of_the_current_directory_keeps_everything(purse: Host) -> None:
    purse.expect("00A4000C02B101")
    purse.expect("00B0000011")
    purse.expect(purse.spend(bytes.fromhex(aes_vectors()["spend_5"])))


def test_selecting_a_purse_file_by_path_is_a_selection_of_its_directory(purse: Host) -> None:
    purse.expect("00A4080C061200B001B101")
    purse.expect(READ_NEWEST, "6985")


def test_reset_and_power_clear_all_and_lead_back_to_the_master_file(host: Host) -> None:
    for clear in (host_card(host).reset, host_card(host).power_on):
        host.open_purse()
        update = host.spend(bytes.fromhex(aes_vectors()["spend_5"]))
        clear()
        assert host.status("00B0810011") == "6A82"
        host.select_purse()
        assert host.status(update) == "6985"
        host.exchange_randoms()
        assert host.status(host.spend(bytes(54))) == "6982"


def test_answer_key_falls_back_at_selection(purse: Host) -> None:
    under_debit = purse.expect(READ_NEWEST)
    purse.expect("002221B403830104")
    assert purse.expect(READ_NEWEST) != under_debit
    purse.select_purse()
    purse.expect(b"\x80\x86\x00\x00\x08" + HOST_RANDOM)
    assert purse.expect(READ_NEWEST) == under_debit


def test_the_cns_pin_lasts_until_reset_whatever_is_selected(crs: Host) -> None:
    crs.expect(verify("12345", "90"))
    crs.expect("00A4080C0411001101")
    crs.expect("00200010")
    host_card(crs).reset()
    assert crs.status("00200010") == "63C3"


def host_card(host: Host) -> VirtualCard:
    assert isinstance(host.card, VirtualCard)
    return host.card
