"""GET CHALLENGE, and MSE: what keeps the one challenge alive and what does not."""

import pytest

from tests.unit.simulator.host import HOST_RANDOM, PIN, WRONG_PIN, Host, aes_vectors, verify

SPEND_5 = bytes.fromhex(aes_vectors()["spend_5"])


@pytest.mark.parametrize(
    "between",
    [
        "0CB2011C42",
        "0CB201146B",
        "00B0810011",
        "00B0810099",
        "0CB2991C42",
        "002221B403830104",
        "002221B403830107",
        "8086000003000000",
        "0020009C",
        "00E20000",
        "0C20009C08" + "00" * 8,
        "00DC001B36" + "00" * 54,
    ],
)
def test_reads_verify_random_and_mse_leave_the_challenge_alone(purse: Host, between: str) -> None:
    purse.send(between)
    purse.expect(purse.spend(SPEND_5))


def test_a_second_verify_and_random_leave_the_challenge_alone(purse: Host) -> None:
    purse.send(verify(WRONG_PIN))
    purse.expect(verify(PIN))
    purse.expect(b"\x80\x86\x00\x00\x08" + HOST_RANDOM)
    purse.expect(purse.spend(SPEND_5))


def test_a_new_challenge_replaces_the_old(purse: Host) -> None:
    old = purse.spend(SPEND_5)
    purse.challenge = purse.expect("0084000008")
    assert purse.status(old) == "6988"


@pytest.mark.parametrize("length", [1, 7, 9, 16, 255, 256])
def test_another_length_is_answered_and_leaves_no_challenge(purse: Host, length: int) -> None:
    update = purse.spend(SPEND_5)
    assert len(purse.expect(f"00840000{length % 256:02X}")) == length
    assert purse.status(update) == "6985"


@pytest.mark.parametrize(
    ("command", "status"),
    [("0084010008", "6A86"), ("00840000", "6700"), ("0084000001FF08", "6700")],
)
def test_a_bad_get_challenge_changes_nothing(purse: Host, command: str, status: str) -> None:
    assert purse.status(command) == status
    purse.expect(purse.spend(SPEND_5))


def test_challenges_differ(purse: Host) -> None:
    assert len({purse.expect("0084000008") for _ in range(50)}) == 50


@pytest.mark.parametrize("key", [0x02, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x01, 0xFF])
def test_only_debit_answer_and_attestation_keys_can_be_chosen(purse: Host, key: int) -> None:
    before = purse.expect("0CB2011C42")
    assert purse.status(f"002221B4038301{key:02X}") == "6A88"
    assert purse.expect("0CB2011C42") == before


def test_the_debit_answer_key_can_be_chosen_back(purse: Host) -> None:
    before = purse.expect("0CB2011C42")
    purse.expect("002221B403830104")
    assert purse.expect("0CB2011C42") != before
    purse.expect("002221B403830103")
    assert purse.expect("0CB2011C42") == before


def test_outside_a_purse_there_is_no_key_to_choose(host: Host) -> None:
    host.expect("00A4080C021200")
    assert host.status("002221B403830104") == "6A88"


@pytest.mark.parametrize(
    ("command", "status"),
    [("002221A403830104", "6A86"), ("002221B403840104", "6A80"), ("002221B40483020104", "6A80")],
)
def test_other_security_environments_are_refused(purse: Host, command: str, status: str) -> None:
    assert purse.status(command) == status
