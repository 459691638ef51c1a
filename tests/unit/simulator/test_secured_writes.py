"""UPDATE RECORD, UPDATE BINARY, CHANGE KEY DATA, PIN reset: the one order of checks."""

from collections.abc import Callable

import pytest

from simulator.card.card import VirtualCard
from simulator.card.filesystem import Directory, ElementaryFile
from tests.unit.simulator.host import (
    HOST_RANDOM,
    PIN,
    Host,
    aes_vectors,
    cryptogram,
    host_of,
    padded,
    purse_memory,
    verify,
)

SPEND_4 = bytes.fromhex(aes_vectors()["spend_4"])
SPEND_5 = bytes.fromhex(aes_vectors()["spend_5"])
GRANT = bytes.fromhex(aes_vectors()["grant_record"])
INFO_WITHOUT_PIN = "01a1a2a3a4a5a6a7a801815341010fb101"

Break = Callable[[Host], bytes]


def directory_of(host: Host) -> Directory:
    assert isinstance(host.card, VirtualCard)
    found = host.card.memory.find((0x1200, 0xB001))
    assert found is not None
    return found


def file_of(host: Host, fid: int) -> ElementaryFile:
    found = directory_of(host).file(fid)
    assert found is not None
    return found


def test_a_spend_becomes_number_one_and_the_oldest_goes(purse: Host) -> None:
    for _ in range(20):
        purse.expect(purse.spend(SPEND_5))
        purse.exchange_randoms()
    assert file_of(purse, 0xB103).records == [SPEND_5] * 20


def test_the_answer_proves_the_write(purse: Host) -> None:
    answer = purse.expect(purse.spend(SPEND_5))
    assert purse.confirmed(answer, "0CDC001B", 3)


def test_choosing_the_attestation_key_does_not_change_the_answer_of_a_write(purse: Host) -> None:
    purse.expect("002221B403830104")
    assert purse.confirmed(purse.expect(purse.spend(SPEND_5)), "0CDC001B", 3)


def test_a_grant_is_written_without_pin_under_the_load_key(host: Host) -> None:
    host.select_purse()
    host.exchange_randoms()
    answer = host.expect(host.grant(8, GRANT))
    assert host.confirmed(answer, "0CDC0814", 6)
    assert file_of(host, 0xB102).records[7] == GRANT


# The order of checks ----------------------------------------------------------------------


def changed(apdu: bytes, at: int, by: int = 1) -> bytes:
    return apdu[:at] + bytes((apdu[at] ^ by,)) + apdu[at + 1 :]


def wrong_p1p2(host: Host) -> bytes:
    return host.secured("0CDC011B", host.plain_object(SPEND_5), 2)


def no_mac_object(host: Host) -> bytes:
    body = host.plain_object(SPEND_5)
    return bytes.fromhex("0CDC001B") + bytes((len(body),)) + body + b"\x00"


def wrong_mac(host: Host) -> bytes:
    return changed(host.spend(SPEND_5), -2)


def wrong_key(host: Host) -> bytes:
    return host.secured("0CDC001B", host.plain_object(SPEND_5), 5)


def altered_content(host: Host) -> bytes:
    return changed(host.spend(SPEND_5), 10)


def another_object(host: Host) -> bytes:
    return host.secured("0CDC001B", host.plain_object(SPEND_5) + b"\x97\x01\x00", 2)


def no_content(host: Host) -> bytes:
    return host.secured("0CDC001B", b"", 2)


def encrypted_content(host: Host) -> bytes:
    content = cryptogram(host.keys[9], host.challenge, SPEND_5)
    return host.secured("0CDC001B", content, 2)


def length_that_does_not_fit(host: Host) -> bytes:
    apdu = host.spend(SPEND_5)
    return changed(apdu, 6, 0x40)


def longer_form_of_length(host: Host) -> bytes:
    return host.secured("0CDC001B", b"\x81\x81\x36" + SPEND_5, 2)


def two_macs(host: Host) -> bytes:
    apdu = host.spend(SPEND_5)
    mac_object = apdu[-11:-1]
    return apdu[:4] + bytes((apdu[4] + 10,)) + apdu[5:-1] + mac_object + b"\x00"


def short_mac(host: Host) -> bytes:
    apdu = host.spend(SPEND_5)
    return apdu[:4] + bytes((apdu[4] - 1,)) + apdu[5:-10] + b"\x07" + apdu[-9:-2] + b"\x00"


def mac_before_content(host: Host) -> bytes:
    apdu = host.spend(SPEND_5)
    return apdu[:5] + apdu[-11:-1] + apdu[5:-11] + b"\x00"


def short_record(host: Host) -> bytes:
    return host.spend(SPEND_5[:-1])


def long_record(host: Host) -> bytes:
    return host.spend(SPEND_5 + b"\x00")


def no_expected_length(host: Host) -> bytes:
    return host.spend(SPEND_5)[:-1]


BROKEN = [
    (wrong_p1p2, "6A86"),
    (no_mac_object, "6987"),
    (wrong_mac, "6988"),
    (wrong_key, "6988"),
    (altered_content, "6988"),
    (another_object, "6988"),
    (no_content, "6988"),
    (encrypted_content, "6988"),
    (length_that_does_not_fit, "6988"),
    (longer_form_of_length, "6988"),
    (two_macs, "6988"),
    (short_mac, "6988"),
    (mac_before_content, "6988"),
    (short_record, "6700"),
    (long_record, "6700"),
    (no_expected_length, "6700"),
]


@pytest.mark.parametrize(("broken", "status"), BROKEN)
def test_a_bad_write_is_refused_writes_nothing_and_takes_the_challenge(
    purse: Host, broken: Break, status: str
) -> None:
    good = purse.spend(SPEND_5)
    answer = purse.send(broken(purse))
    assert f"{answer.status:04X}" == status
    assert answer.data == b""
    assert file_of(purse, 0xB103).records[0] == SPEND_4
    assert purse.status(good) == "6985"


@pytest.mark.parametrize(("broken", "status"), BROKEN[1:13])
def test_the_pin_is_asked_only_once_the_mac_is_right(
    host: Host, broken: Break, status: str
) -> None:
    host.select_purse()
    host.exchange_randoms()
    assert host.status(broken(host)) == status


@pytest.mark.parametrize("broken", [short_record, long_record])
def test_the_pin_is_asked_before_the_content_is_measured(host: Host, broken: Break) -> None:
    host.select_purse()
    host.exchange_randoms()
    assert host.status(broken(host)) == "6982"


def test_the_challenge_is_asked_before_the_mac_object(host: Host) -> None:
    host.select_purse()
    host.expect(b"\x80\x86\x00\x00\x08" + HOST_RANDOM)
    assert host.status(no_mac_object(host)) == "6985"


def test_the_host_random_is_asked_as_the_challenge_is(host: Host) -> None:
    host.select_purse()
    host.expect(verify(PIN))
    host.challenge = host.expect("0084000008")
    update = host.spend(SPEND_5)
    assert host.status(update) == "6985"
    host.expect(b"\x80\x86\x00\x00\x08" + HOST_RANDOM)
    assert host.status(update) == "6985"


@pytest.mark.parametrize("header", ["0CDC001B", "0CDC0114"])
def test_p1_p2_come_before_everything(host: Host, header: str) -> None:
    host.select_purse()
    assert host.status(header[:4] + "071C") == "6A86"
    assert host.status(header[:4] + "0116") == "6A86"
    assert host.status(header[:4] + "0124") == "6A82"


@pytest.mark.parametrize("p1p2", ["011C", "001C", "011B", "021B", "001A", "0018", "001F"])
def test_spend_is_written_by_previous_record_only(purse: Host, p1p2: str) -> None:
    apdu = purse.secured(f"0CDC{p1p2}", purse.plain_object(SPEND_5), 2)
    assert purse.status(apdu) == "6A86"


@pytest.mark.parametrize("number", [0, 9, 255])
def test_a_grant_record_that_is_not_there_comes_after_the_mac(purse: Host, number: int) -> None:
    assert purse.status(purse.grant(number, GRANT)) == "6A83"
    purse.exchange_randoms()
    assert purse.status(changed(purse.grant(number, GRANT), -2)) == "6988"


def test_a_grant_of_another_length_is_refused_after_the_record(purse: Host) -> None:
    assert purse.status(purse.grant(2, GRANT[:-1])) == "6700"
    purse.exchange_randoms()
    assert purse.status(purse.grant(9, GRANT[:-1])) == "6A83"


def test_the_debit_key_writes_no_grant(purse: Host) -> None:
    apdu = purse.secured("0CDC0214", purse.plain_object(GRANT), 2)
    assert purse.status(apdu) == "6988"


@pytest.mark.parametrize("count", [3, 30])
def test_bad_macs_from_anybody_block_nothing(purse: Host, count: int) -> None:
    for _ in range(count):
        assert purse.status(wrong_mac(purse)) == "6988"
        purse.exchange_randoms()
    purse.expect(purse.spend(SPEND_5))


def test_a_malformed_write_takes_the_challenge_too(purse: Host) -> None:
    good = purse.spend(SPEND_5)
    assert purse.status("0CDC001B42FF") == "6700"
    assert purse.status(good) == "6985"


def test_a_challenge_serves_one_write(purse: Host) -> None:
    update = purse.spend(SPEND_5)
    purse.expect(update)
    assert purse.status(update) == "6985"


def test_a_write_keeps_the_pin(purse: Host) -> None:
    purse.expect(purse.spend(SPEND_5))
    purse.exchange_randoms()
    purse.expect(purse.spend(SPEND_5))


def test_without_the_flag_in_info_the_chip_does_not_ask_for_the_pin() -> None:
    host = host_of(purse_memory(info=INFO_WITHOUT_PIN))
    host.select_purse()
    host.exchange_randoms()
    host.expect(host.spend(SPEND_5))


# EF.INFO ----------------------------------------------------------------------------------


def info_write(host: Host, header: str, content: bytes) -> bytes:
    return host.secured(header, host.plain_object(content), 5)


def test_the_map_is_written_without_pin(host: Host) -> None:
    host.select_purse()
    host.exchange_randoms()
    answer = host.expect(info_write(host, "0CD68110", b"\x03"))
    assert host.confirmed(answer, "0CD68110", 6)
    assert host.expect("00B0811001") == b"\x03"


def test_bytes_12_to_15_are_written_together(host: Host) -> None:
    host.select_purse()
    host.exchange_randoms()
    host.expect(info_write(host, "0CD6810C", bytes.fromhex("C1021234")))
    assert host.expect("00B0810C05") == bytes.fromhex("C102123401")


@pytest.mark.parametrize(
    ("header", "content", "status"),
    [
        ("0CD68101", b"\x00", "6A86"),
        ("0CD68100", bytes(17), "6A86"),
        ("0CD6810D", bytes(3), "6A86"),
        ("0CD68110", bytes(2), "6700"),
        ("0CD6810C", bytes(3), "6700"),
        ("0CD6810C", bytes.fromhex("C7021234"), "6A80"),
        ("0CD68200", b"\x00", "6981"),
        ("0CD68400", b"\x00", "6A82"),
    ],
)
def test_nothing_else_of_info_is_ever_written(
    purse: Host, header: str, content: bytes, status: str
) -> None:
    info = purse.expect("00B0810011")
    assert purse.status(info_write(purse, header, content)) == status
    assert purse.expect("00B0810011") == info


def test_info_is_written_by_its_short_id_only(purse: Host) -> None:
    purse.expect("00A4000C02B101")
    assert purse.status(info_write(purse, "0CD60010", b"\x03")) == "6A86"


# Administration ---------------------------------------------------------------------------


def key_change(host: Host, key: int, new: bytes) -> bytes:
    content = cryptogram(host.keys[9], host.challenge, new)
    return host.secured(f"9C2400{0x80 | key:02X}", content, 7)


@pytest.mark.parametrize("key", [2, 3, 4, 5, 6, 7, 8, 9])
def test_every_key_is_changed_and_answered_under_the_old_answer_key(purse: Host, key: int) -> None:
    new = bytes(range(16))
    answer = purse.expect(key_change(purse, key, new))
    assert purse.confirmed(answer, f"9C2400{0x80 | key:02X}", 8)
    assert directory_of(purse).keys[key] == new


def test_a_key_change_is_resumed_under_the_new_administration_keys(purse: Host) -> None:
    for key in (3, 4, 5, 6, 2, 9, 8, 7):
        new = bytes((0xA0 + key,)) * 16
        purse.expect(key_change(purse, key, new))
        purse.keys[key] = new
        purse.exchange_randoms()
    purse.expect(key_change(purse, 3, bytes(16)))


@pytest.mark.parametrize(
    ("header", "status"),
    [("9C240183", "6A86"), ("9C240003", "6A86"), ("9C240081", "6A88"), ("9C24008A", "6A88")],
)
def test_keys_that_are_not_there_are_not_changed(purse: Host, header: str, status: str) -> None:
    content = cryptogram(purse.keys[9], purse.challenge, bytes(16))
    assert purse.status(purse.secured(header, content, 7)) == status


def test_a_key_of_another_length_is_refused(purse: Host) -> None:
    assert purse.status(key_change(purse, 3, bytes(8))) == "6700"


def test_a_key_in_clear_is_refused(purse: Host) -> None:
    apdu = purse.secured("9C240083", purse.plain_object(bytes(16)), 7)
    assert purse.status(apdu) == "6988"


def test_a_cryptogram_under_another_challenge_is_refused(purse: Host) -> None:
    content = cryptogram(purse.keys[9], bytes(8), b"12345678")
    assert purse.status(purse.secured("9C240083", content, 7)) == "6988"


@pytest.mark.parametrize("damage", ["870102", "87110000112233445566778899AABBCCDDEEFF0011"])
def test_a_cryptogram_that_is_none_is_refused(purse: Host, damage: str) -> None:
    assert purse.status(purse.secured("9C240083", bytes.fromhex(damage), 7)) == "6988"


@pytest.mark.parametrize("indicator", [0x00, 0x02])
def test_only_padding_method_2_is_understood(purse: Host, indicator: int) -> None:
    content = cryptogram(purse.keys[9], purse.challenge, bytes(16))
    other = content[:2] + bytes((indicator,)) + content[3:]
    assert purse.status(purse.secured("9C240083", other, 7)) == "6988"


@pytest.mark.parametrize("key", [2, 5])
def test_other_keys_administer_nothing(purse: Host, key: int) -> None:
    content = cryptogram(purse.keys[9], purse.challenge, bytes(16))
    assert purse.status(purse.secured("9C240083", content, key)) == "6988"


def pin_reset(host: Host, pin: bytes) -> bytes:
    return host.secured("0C2C029C", cryptogram(host.keys[9], host.challenge, pin), 7)


def test_the_backend_resets_the_pin(purse: Host) -> None:
    for _ in range(3):
        purse.send(verify("99999"))
    apdu = pin_reset(purse, padded("7654321"))
    assert apdu[:7].hex() == "0c2c029c1d8711"
    assert purse.confirmed(purse.expect(apdu), "0C2C029C", 8)
    purse.expect(verify("7654321"))


def test_a_reset_ends_the_pin_being_verified(purse: Host) -> None:
    purse.expect(pin_reset(purse, padded(PIN)))
    purse.exchange_randoms()
    assert purse.status(purse.spend(SPEND_5)) == "6982"


@pytest.mark.parametrize(
    ("header", "pin", "status"),
    [
        ("0C2C039C", padded("54321"), "6A86"),
        ("0C2C029D", padded("54321"), "6A86"),
        ("0C2C029C", padded("5432"), "6A80"),
        ("0C2C029C", b"54321\xff\xff", "6700"),
        ("0C2C029C", b"5432A\xff\xff\xff", "6A80"),
    ],
)
def test_a_pin_reset_that_does_not_follow_the_profile_is_refused(
    purse: Host, header: str, pin: bytes, status: str
) -> None:
    content = cryptogram(purse.keys[9], purse.challenge, pin)
    assert purse.status(purse.secured(header, content, 7)) == status
    purse.expect(verify(PIN))
