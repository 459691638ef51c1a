"""Secure messaging against the golden sale and load, and against OpenSSL."""

import shutil
import subprocess

import pytest

from cardlib.codec.apdu import Command, Response
from cardlib.codec.files import EF_GRANT, EF_INFO, EF_SPEND, EF_SPEND_APPEND_P2
from cardlib.errors import AuthenticityError, MalformedError
from cardlib.keys import attestation, secure_messaging
from cardlib.keys.suites import Aes128Suite
from tests import vectors
from tests.unit.cardlib.test_purse_records import INFO, INPUTS, KEYS, SUITE

AES = Aes128Suite()
RANDOM = bytes.fromhex(INPUTS["rnd_ifd"])
CHALLENGE = bytes.fromhex(INPUTS["rnd_ic"])
LOAD = INPUTS["load"]


def exchange(part: str, name: str) -> tuple[Command, Response]:
    step = next(item for item in SUITE[part] if item["name"] == name)
    command = Command.decode(bytes.fromhex(step["command"]))
    return command, Response.decode(bytes.fromhex(step["response"]))


def test_cmac_is_that_of_rfc_4493() -> None:
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")

    assert AES.mac(key, b"").hex() == "bb1d6929e9593728"
    assert AES.mac(key, bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")).hex() == (
        "070a16b46b4d4144"
    )


def test_the_debit_is_protected_as_in_the_golden_sale() -> None:
    wanted, answer = exchange("sale", "UPDATE RECORD EF.SPEND")
    plain = Command(0, 0xDC, 0, EF_SPEND_APPEND_P2, bytes.fromhex(SUITE["spend_5"]))

    made = secure_messaging.protect(AES, KEYS.debit.command, CHALLENGE, plain)

    assert bytes(made) == bytes(wanted)
    assert secure_messaging.write_confirmed(AES, KEYS.debit.response, RANDOM, made, answer)


@pytest.mark.parametrize(
    ("name", "key", "random", "record"),
    [
        ("READ RECORD EF.SPEND 1", KEYS.debit.response, RANDOM, SUITE["spend_4"]),
        ("READ RECORD EF.GRANT 1", KEYS.debit.response, RANDOM, SUITE["grant_record"]),
        ("READ RECORD EF.SPEND 1, attested", KEYS.attest, RANDOM, SUITE["spend_5"]),
    ],
)
def test_golden_answers_are_believed(name: str, key: bytes, random: bytes, record: str) -> None:
    wanted, answer = exchange("sale", name)
    file = EF_GRANT if "GRANT" in name else EF_SPEND
    command = secure_messaging.read_record_command(1, file.read_p2, file.record_size)

    opened = secure_messaging.open_record_answer(
        AES, key, random, command, answer, file.record_size
    )

    assert bytes(command) == bytes(wanted)
    assert opened.hex() == record


def test_an_answer_over_an_older_random_is_not_believed() -> None:
    command, answer = exchange("sale", "READ RECORD EF.SPEND 1")

    with pytest.raises(AuthenticityError, match="CARD_MAC_BAD"):
        secure_messaging.open_record_answer(
            AES, KEYS.debit.response, bytes(8), command, answer, EF_SPEND.record_size
        )


@pytest.mark.parametrize("status", [0x6985, 0x9001, 0x6581])
def test_no_status_word_confirms_a_write(status: int) -> None:
    command, answer = exchange("sale", "UPDATE RECORD EF.SPEND")
    forged = Response(answer.data, status)

    assert not secure_messaging.write_confirmed(AES, KEYS.debit.response, RANDOM, command, forged)


def test_a_bare_9000_confirms_nothing() -> None:
    command, _ = exchange("sale", "UPDATE RECORD EF.SPEND")

    assert not secure_messaging.write_confirmed(
        AES, KEYS.debit.response, RANDOM, command, Response(b"", 0x9000)
    )


def test_an_answer_of_another_shape_is_refused() -> None:
    with pytest.raises(MalformedError):
        secure_messaging.split_record_answer(Response(bytes.fromhex("8100"), 0x9000), 54)


def test_the_load_writes_are_those_of_the_vector() -> None:
    grant = Command(0, 0xDC, 2, EF_GRANT.read_p2, bytes.fromhex(SUITE["grant_record"]))
    zero = Command(0, 0xDC, 1, EF_GRANT.read_p2, bytes(EF_GRANT.record_size))
    info = Command(0, 0xD6, 0x80 | EF_INFO.sfi, 16, bytes.fromhex(LOAD["map"]))
    writes = [
        ("UPDATE RECORD EF.GRANT 2", grant, "rnd_ic_grant"),
        ("UPDATE RECORD EF.GRANT 1 with zeros", zero, "rnd_ic_zero"),
        ("UPDATE BINARY EF.INFO map", info, "rnd_ic_map"),
    ]
    for name, plain, challenge in writes:
        made = secure_messaging.protect(
            AES, KEYS.load_command, bytes.fromhex(LOAD[challenge]), plain
        )
        assert bytes(made) == bytes(exchange("load_writes", name)[0]), name


@pytest.mark.parametrize(
    ("name", "random"),
    [
        ("UPDATE RECORD EF.GRANT 2", "rnd_ifd"),
        ("UPDATE RECORD EF.GRANT 1 with zeros", "rnd_ifd_receipt"),
        ("UPDATE BINARY EF.INFO map", "rnd_ifd_zero"),
    ],
)
def test_the_load_answers_are_those_of_the_vector(name: str, random: str) -> None:
    command, answer = exchange("load_writes", name)

    assert secure_messaging.write_confirmed(
        AES, KEYS.load_response, bytes.fromhex(LOAD[random]), command, answer
    )


def test_a_golden_certificate_is_genuine_and_no_other_is() -> None:
    _, answer = exchange("sale", "READ RECORD EF.SPEND 1, attested")
    record, tc = secure_messaging.split_record_answer(answer, EF_SPEND.record_size)

    assert attestation.is_genuine(KEYS.attest, INFO, 1, record, RANDOM, tc)
    assert not attestation.is_genuine(KEYS.attest, INFO, 2, record, RANDOM, tc)
    assert not attestation.is_genuine(KEYS.attest, INFO, 1, record, CHALLENGE, tc)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is the oracle")
def test_openssl_derives_the_same_keys() -> None:
    context = INFO.issuer + INFO.purse + bytes((INFO.suite, INFO.key_set))
    arguments = [
        "openssl", "kdf", "-keylen", "16", "-kdfopt", "mac:CMAC",
        "-kdfopt", "cipher:AES-256-CBC", "-kdfopt", f"hexkey:{INPUTS['m_debit']}",
        "-kdfopt", "salt:borsellino/1/debit/cmd", "-kdfopt", f"hexinfo:{context.hex()}",
        "-binary", "KBKDF",
    ]  # fmt: skip
    derived = subprocess.run(arguments, capture_output=True, check=True, timeout=20)

    assert derived.stdout == KEYS.debit.command


def test_the_vectors_count_a_sale_as_ten_commands_and_438_bytes() -> None:
    steps = vectors.suite_1()["sale"]
    size = sum(len(step["command"]) // 2 + len(step["response"]) // 2 for step in steps)

    assert (len(steps), size) == (10, 438)
