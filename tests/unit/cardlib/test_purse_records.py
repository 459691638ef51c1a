"""EF.INFO, EF.GRANT and EF.SPEND against the golden vectors."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardlib.codec.purse import Grant, Info, Spend, SpendType, day_date, day_number
from cardlib.errors import CardlibError, MalformedError, PurseRefusedError
from cardlib.keys import records
from cardlib.keys.derivation import IssuerMasters, PurseKeys
from cardlib.keys.grants import SignedGrant, sign_grant
from cardlib.wire.ed25519 import SigningKey
from tests import vectors

INPUTS = vectors.protocol()["inputs"]
SUITE = vectors.suite_1()
INFO = Info.decode(bytes.fromhex(SUITE["info"]))
MASTERS = IssuerMasters(
    debit=bytes.fromhex(INPUTS["m_debit"]),
    attest=bytes.fromhex(INPUTS["m_attest"]),
    load=bytes.fromhex(INPUTS["m_load"]),
    admin=bytes(32),
)
KEYS = PurseKeys.derive(MASTERS, INFO)
ISSUER = SigningKey(bytes.fromhex(INPUTS["issuer_seed_ed25519"]))


def test_info_is_laid_out_as_the_vector() -> None:
    assert bytes(INFO).hex() == SUITE["info"]
    assert (INFO.purse.hex(), INFO.issuer_code) == (INPUTS["purse"], INPUTS["issuer"])
    assert (INFO.key_set, INFO.expiry) == (INPUTS["key_set"], INPUTS["expiry_days"])


@pytest.mark.parametrize("offset", [0, 9, 12])
def test_info_of_an_unknown_version_issuer_or_flag_is_refused(offset: int) -> None:
    changed = bytearray(bytes(INFO))
    changed[offset] |= 0x3A

    with pytest.raises(PurseRefusedError):
        Info.decode(bytes(changed))


def test_purse_keys_are_those_of_the_vector() -> None:
    derived = {
        "debit/cmd": KEYS.debit.command,
        "debit/rsp": KEYS.debit.response,
        "debit/rec": KEYS.debit.record,
        "attest": KEYS.attest,
        "load/cmd": KEYS.load_command,
        "load/rsp": KEYS.load_response,
    }

    assert {use: key.hex() for use, key in derived.items()} == SUITE["keys"]


def vector_grant() -> Grant:
    told = INPUTS["grant"]
    return Grant(
        told["slot"], told["grant_seq"], told["programme"], told["categories"],
        told["valid_from"], told["valid_to"], told["granted_total"], told["base_spent"],
        told["base_ctr"], told["flags"], told["day_limit_eur"], told["issuer_key"],
    )  # fmt: skip


def test_a_grant_is_signed_and_sealed_as_the_vector() -> None:
    signed = sign_grant(ISSUER, INFO.core, vector_grant())

    assert bytes(signed.grant).hex() == SUITE["grant_clear"]
    assert signed.signature.hex() == SUITE["grant_signature"]
    assert records.seal_grant(KEYS.debit.record, signed).hex() == SUITE["grant_record"]


def test_a_grant_for_another_purse_is_not_genuine() -> None:
    signed = sign_grant(ISSUER, INFO.core, vector_grant())
    other = bytearray(INFO.core)
    other[1] ^= 1

    with pytest.raises(CardlibError):
        signed.verify(bytes(other), ISSUER.public)


@pytest.mark.parametrize("name", ["spend_init", "spend_4", "spend_5"])
def test_spend_records_are_sealed_as_the_vector(name: str) -> None:
    record = bytes.fromhex(SUITE[name])
    spend = records.open_spend(KEYS.debit.record, record)

    assert spend is not None
    assert spend.ctr == INPUTS[name].get("ctr")
    assert records.seal_spend(KEYS.debit.record, spend) == record


def test_the_spend_records_say_what_the_vector_says() -> None:
    spend = records.open_spend(KEYS.debit.record, bytes.fromhex(SUITE["spend_5"]))

    assert spend is not None
    assert (spend.type, spend.spent[0], spend.terminal, spend.seq) == (
        SpendType.SALE, 3250, 502, 1234,
    )  # fmt: skip
    assert (spend.time, spend.day_spent) == (1790001000, 1250)


@given(st.integers(0, 53), st.integers(0, 7))
def test_one_flipped_bit_makes_a_record_torn_and_never_another_truth(at: int, bit: int) -> None:
    record = bytearray(bytes.fromhex(SUITE["spend_5"]))
    record[at] ^= 1 << bit

    assert records.open_spend(KEYS.debit.record, bytes(record)) is None


@pytest.mark.parametrize("size", [0, 53, 55, 54])
def test_a_record_of_the_wrong_size_or_of_zeros_is_no_record(size: int) -> None:
    assert records.open_spend(KEYS.debit.record, bytes(size)) is None


def test_a_total_above_three_bytes_is_refused_before_it_is_written() -> None:
    spend = Spend(SpendType.SALE, 1, bytes(8), (0x1000000, 0, 0, 0, 0, 0), 1, 1, 1, 1, bytes(4))

    with pytest.raises(MalformedError):
        bytes(spend)


@given(st.binary(max_size=120))
def test_noise_is_never_taken_for_a_grant(noise: bytes) -> None:
    opened = records.open_grant(KEYS.debit.record, noise)
    if opened is None:
        return
    with pytest.raises(CardlibError):
        opened.verify(INFO.core, ISSUER.public)


def test_a_signed_grant_survives_its_own_encoding() -> None:
    signed = sign_grant(ISSUER, INFO.core, vector_grant())

    assert SignedGrant.decode(bytes(signed)) == signed


def test_days_are_counted_from_the_first_of_january_2020() -> None:
    assert day_number(date(2020, 1, 1)) == 0
    assert day_date(4017) == date(2030, 12, 31)
