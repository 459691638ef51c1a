"""Suite 2 (two-key TDEA) from the host's side: golden vectors, ICAO's example, OpenSSL."""

import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFCMAC
from hypothesis import given
from hypothesis import strategies as st

from cardlib.codec.apdu import Command, Response
from cardlib.codec.files import EF_GRANT, EF_INFO, EF_SPEND, EF_SPEND_APPEND_P2
from cardlib.codec.purse import Info, Spend, Suite
from cardlib.errors import AuthenticityError, PurseRefusedError
from cardlib.keys import attestation, records, secure_messaging
from cardlib.keys.derivation import DebitKeys, IssuerMasters, KeyUse, PurseKeys, derive
from cardlib.keys.grants import SignedGrant
from cardlib.keys.suites import Tdea2KeySuite, suite_of
from cardlib.wire.ed25519 import PublicKey
from simulator.card.crypto import SUITES
from tests import vectors

INPUTS = vectors.protocol()["inputs"]
VECTOR = vectors.suite_2()
INFO = Info.decode(bytes.fromhex(VECTOR["info"]))
MASTERS = IssuerMasters(
    debit=bytes.fromhex(INPUTS["m_debit"]),
    attest=bytes.fromhex(INPUTS["m_attest"]),
    load=bytes.fromhex(INPUTS["m_load"]),
    admin=bytes(32),
)
KEYS = PurseKeys.derive(MASTERS, INFO)
TDEA = Tdea2KeySuite()
CHALLENGE, RANDOM = bytes.fromhex(INPUTS["rnd_ic"]), bytes.fromhex(INPUTS["rnd_ifd"])
LOAD = INPUTS["load"]
KEY = bytes.fromhex("7962D9ECE03D1ACD4C76089DCE131543")
"""K_MAC of ICAO 9303-11, appendix D.3."""


def exchange(part: str, name: str) -> tuple[Command, Response]:
    step = next(item for item in VECTOR[part] if item["name"] == name)
    command = Command.decode(bytes.fromhex(step["command"]))
    return command, Response.decode(bytes.fromhex(step["response"]))


def test_retail_mac_is_that_of_icao_9303() -> None:
    message = bytes.fromhex("72C29C2371CC9BDB65B779B8E8D37B29ECC154AA56A8799FAE2F498F76ED92F2")

    assert TDEA.mac(KEY, message).hex().upper() == "5F1448EEA8AD90A7"


def test_info_names_the_suite() -> None:
    assert INFO.suite == Suite.TDEA_2KEY
    assert isinstance(suite_of(INFO.suite), Tdea2KeySuite)
    with pytest.raises(PurseRefusedError, match="PURSE_UNKNOWN_SUITE"):
        suite_of(3)


def test_keys_of_suite_2_are_those_of_the_vector() -> None:
    derived = {
        "debit/cmd": KEYS.debit.command,
        "debit/rsp": KEYS.debit.response,
        "debit/rec": KEYS.debit.record,
        "attest": KEYS.attest,
        "load/cmd": KEYS.load_command,
        "load/rsp": KEYS.load_response,
    }

    assert {use: key.hex() for use, key in derived.items()} == VECTOR["keys"]


def test_records_at_rest_are_those_of_the_vector() -> None:
    opened = records.open_spend(KEYS.debit.record, bytes.fromhex(VECTOR["spend_init"]))
    assert isinstance(opened, Spend)
    assert opened.ctr == 0
    assert records.seal_spend(KEYS.debit.record, opened).hex() == VECTOR["spend_init"]
    signed = SignedGrant.decode(bytes.fromhex(VECTOR["grant_clear"] + VECTOR["grant_signature"]))
    signed.verify(INFO.core, PublicKey(bytes.fromhex(vectors.protocol()["issuer_public"])))
    assert records.seal_grant(KEYS.debit.record, signed).hex() == VECTOR["grant_record"]


def test_the_debit_is_protected_as_in_the_golden_sale() -> None:
    wanted, answer = exchange("sale", "UPDATE RECORD EF.SPEND")
    plain = Command(0, 0xDC, 0, EF_SPEND_APPEND_P2, bytes.fromhex(VECTOR["spend_5"]))

    made = secure_messaging.protect(TDEA, KEYS.debit.command, CHALLENGE, plain)

    assert bytes(made) == bytes(wanted)
    assert secure_messaging.write_confirmed(TDEA, KEYS.debit.response, RANDOM, made, answer)


@pytest.mark.parametrize(
    ("name", "key", "record"),
    [
        ("READ RECORD EF.SPEND 1", KEYS.debit.response, "spend_4"),
        ("READ RECORD EF.GRANT 1", KEYS.debit.response, "grant_record"),
        ("READ RECORD EF.SPEND 1, attested", KEYS.attest, "spend_5"),
    ],
)
def test_golden_answers_are_believed(name: str, key: bytes, record: str) -> None:
    wanted, answer = exchange("sale", name)
    file = EF_GRANT if "GRANT" in name else EF_SPEND
    command = secure_messaging.read_record_command(1, file.read_p2, file.record_size)

    opened = secure_messaging.open_record_answer(
        TDEA, key, RANDOM, command, answer, file.record_size
    )

    assert (bytes(command), opened.hex()) == (bytes(wanted), VECTOR[record])


def test_a_golden_certificate_is_genuine() -> None:
    _, answer = exchange("sale", "READ RECORD EF.SPEND 1, attested")
    record, tc = secure_messaging.split_record_answer(answer, EF_SPEND.record_size)

    assert attestation.is_genuine(KEYS.attest, INFO, 1, record, RANDOM, tc)
    assert not attestation.is_genuine(KEYS.attest, INFO, 1, record, CHALLENGE, tc)


def test_the_load_writes_and_their_answers_are_those_of_the_vector() -> None:
    grant = Command(0, 0xDC, 2, EF_GRANT.read_p2, bytes.fromhex(VECTOR["grant_record"]))
    zero = Command(0, 0xDC, 1, EF_GRANT.read_p2, bytes(EF_GRANT.record_size))
    info = Command(0, 0xD6, 0x80 | EF_INFO.sfi, 16, bytes.fromhex(LOAD["map"]))
    writes = (
        ("UPDATE RECORD EF.GRANT 2", grant, "rnd_ic_grant", "rnd_ifd"),
        ("UPDATE RECORD EF.GRANT 1 with zeros", zero, "rnd_ic_zero", "rnd_ifd_receipt"),
        ("UPDATE BINARY EF.INFO map", info, "rnd_ic_map", "rnd_ifd_zero"),
    )
    for name, plain, challenge, random in writes:
        wanted, answer = exchange("load_writes", name)
        made = secure_messaging.protect(
            TDEA, KEYS.load_command, bytes.fromhex(LOAD[challenge]), plain
        )
        assert bytes(made) == bytes(wanted), name
        assert secure_messaging.write_confirmed(
            TDEA, KEYS.load_response, bytes.fromhex(LOAD[random]), made, answer
        ), name


def test_a_key_that_is_single_des_is_refused() -> None:
    half = bytes.fromhex("0123456789abcdef")
    other_parity = bytes(octet ^ 1 for octet in half)

    for weak in (half + half, half + other_parity):
        with pytest.raises(AuthenticityError, match="PURSE_KEY_WEAK"):
            TDEA.check_key(weak)
    TDEA.check_key(half + half[::-1])


def test_a_purse_whose_number_derives_single_des_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(KBKDFCMAC, "derive", lambda _self, _master: bytes(8) + b"\x01" * 8)

    with pytest.raises(AuthenticityError, match="PURSE_KEY_WEAK"):
        derive(MASTERS.attest, KeyUse.ATTEST, INFO)
    with pytest.raises(AuthenticityError, match="PURSE_KEY_WEAK"):
        DebitKeys.derive(MASTERS.debit, INFO)
    derive(MASTERS.debit, KeyUse.DEBIT_RECORD, INFO)


def openssl(cipher: str, key: bytes, iv: bytes, plain: bytes) -> bytes:
    arguments = ["openssl", "enc", f"-{cipher}", "-K", key.hex(), "-iv", iv.hex(), "-nopad"]
    return subprocess.run(
        arguments, input=plain, capture_output=True, check=True, timeout=20
    ).stdout


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is the oracle")
@pytest.mark.parametrize("size", [0, 7, 8, 21, 80])
def test_openssl_makes_the_same_retail_mac(size: int) -> None:
    message = bytes(range(size))
    padded = (message + b"\x80").ljust(-(-(size + 1) // 8) * 8, b"\x00")
    chained, single = bytes(8), KEY[:8] * 2
    if padded[:-8]:
        chained = openssl("des-ede-cbc", single, bytes(8), padded[:-8])[-8:]

    assert TDEA.mac(KEY, message) == openssl("des-ede-cbc", KEY, chained, padded[-8:])


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is the oracle")
def test_openssl_enciphers_the_same() -> None:
    plain = bytes(range(16))
    vector = openssl("des-ede-cbc", KEY, bytes(8), CHALLENGE)
    padded = plain + bytes.fromhex("8000000000000000")

    assert TDEA.encipher(KEY, CHALLENGE, plain) == openssl("des-ede-cbc", KEY, vector, padded)


@given(st.binary(max_size=120), st.binary(min_size=8, max_size=8))
def test_the_card_and_the_host_agree(message: bytes, challenge: bytes) -> None:
    card = SUITES[Suite.TDEA_2KEY]
    assert card.mac(KEY, message) == TDEA.mac(KEY, message)
    cryptogram = TDEA.encipher(KEY, challenge, message)
    assert card.decipher(KEY, challenge, cryptogram) == message
