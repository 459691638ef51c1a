"""Factory cards: what is on them, and that their holder is consistent and fictitious."""

import base64
import hashlib
from datetime import date
from functools import reduce

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_private_key
from stdnum import luhn
from stdnum.it import codicefiscale

from cardlib.codec.personal_data import PersonalData
from simulator.card.filesystem import Memory
from simulator.card.masks import (
    CRS_ATR,
    CRS_STINCARD,
    MASKS,
    TRAINING_TRANSPORT_KEYS,
    WHITE,
    WHITE_ATR,
    make_card,
    random_transport_keys,
)
from simulator.card.personal import Holder, training_ca_certificate
from simulator.card.randomness import SeededRandomness
from simulator.errors import MaskError


@pytest.fixture(scope="module")
def crs() -> Memory:
    return make_card(CRS_STINCARD, SeededRandomness(11), Holder(), TRAINING_TRANSPORT_KEYS)


def content(memory: Memory, directory: int, fid: int) -> bytes:
    found = memory.find((directory,) if directory else ())
    assert found is not None
    file = found.file(fid)
    assert file is not None
    return file.content


def card_certificate(memory: Memory) -> x509.Certificate:
    raw = content(memory, 0x1100, 0x1101)
    return x509.load_der_x509_certificate(raw[: 4 + int.from_bytes(raw[2:4], "big")])


@pytest.mark.parametrize("atr", [CRS_ATR, WHITE_ATR])
def test_an_atr_is_whole_and_speaks_t1(atr: bytes) -> None:
    assert reduce(lambda left, right: left ^ right, atr[1:]) == 0
    assert len(atr) == 25
    assert atr[5] & 0x0F == atr[6] & 0x0F == 1
    assert atr[0] == 0x3B


def test_only_the_crs_calls_itself_cns() -> None:
    assert b"CNS" in CRS_ATR
    assert b"CNS" not in WHITE_ATR


def test_card_id_is_regional_and_its_check_digit_right(crs: Memory) -> None:
    number = content(crs, 0x1000, 0x1003).decode()
    assert number == crs.serial
    assert number.startswith("6030")
    assert len(number) == 16
    assert luhn.is_valid(number)


def test_the_chip_number_is_the_serial_on_both_kinds(crs: Memory) -> None:
    white = make_card(WHITE, SeededRandomness(11), Holder(), TRAINING_TRANSPORT_KEYS)
    for memory in (crs, white):
        assert content(memory, 0, 0x2F02) == b"\x5a\x08" + bytes.fromhex(memory.serial)
        assert luhn.is_valid(memory.serial)


def test_personal_data_is_the_holders(crs: Memory) -> None:
    data = PersonalData.decode(content(crs, 0x1100, 0x1102))
    assert (data.surname, data.name, data.sex) == ("ROSSI", "MARIA", "F")
    assert data.codice_fiscale == "RSSMRA80C55M109D"


@pytest.mark.parametrize(
    "holder",
    [
        Holder(),
        Holder("FO", "AI", "M", date(1999, 12, 31), "F205"),
        Holder("D'ALÒ", "GIANFRANCO", "M", date(2001, 1, 1), "H501"),
        Holder("DE LUCA", "ANNAMARIA", "F", date(1950, 8, 31), "L872"),
    ],
)
def test_the_codice_fiscale_is_valid(holder: Holder) -> None:
    assert codicefiscale.is_valid(holder.codice_fiscale)
    assert codicefiscale.get_gender(holder.codice_fiscale) == holder.sex
    assert codicefiscale.get_birth_date(holder.codice_fiscale, minyear=1930) == holder.born_on


def test_the_certificate_names_holder_card_and_data(crs: Memory) -> None:
    certificate = card_certificate(crs)
    (name,) = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    digest = base64.b64encode(hashlib.sha1(content(crs, 0x1100, 0x1102)).digest()).decode()
    assert name.value == f"RSSMRA80C55M109D/{crs.serial}.{digest}"


def test_the_certificate_is_the_training_authoritys(crs: Memory) -> None:
    certificate, authority = card_certificate(crs), training_ca_certificate()
    certificate.verify_directly_issued_by(authority)
    authority.verify_directly_issued_by(authority)
    assert authority == training_ca_certificate()


def test_the_certificate_fits_the_key_on_the_card(crs: Memory) -> None:
    private = load_der_private_key(crs.mf.rsa_keys[1], None)
    public = card_certificate(crs).public_key()
    assert isinstance(public, RSAPublicKey)
    assert public == private.public_key()
    assert public.key_size == 1024


def test_the_certificate_is_for_authentication_only(crs: Memory) -> None:
    usage = card_certificate(crs).extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.content_commitment


def test_the_same_seed_makes_the_same_card(crs: Memory) -> None:
    again = make_card(CRS_STINCARD, SeededRandomness(11), Holder(), TRAINING_TRANSPORT_KEYS)
    other = make_card(CRS_STINCARD, SeededRandomness(12), Holder(), TRAINING_TRANSPORT_KEYS)
    assert again == crs
    assert other.serial != crs.serial


def test_transport_keys_are_three_and_differ() -> None:
    keys = random_transport_keys(SeededRandomness(1))
    assert sorted(keys) == [0x0A, 0x0B, 0x0C]
    assert len(set(keys.values())) == 3
    assert {len(key) for key in (*keys.values(), *TRAINING_TRANSPORT_KEYS.values())} == {16}


def test_stock_cards_carry_no_purse(crs: Memory) -> None:
    services = crs.find((0x1200,))
    assert services is not None
    assert services.directories == []


def test_an_unknown_mask_is_named_with_those_there_are() -> None:
    with pytest.raises(MaskError) as caught:
        make_card("gold", SeededRandomness(1), Holder(), {})
    assert caught.value.code == "CARD_MASK_UNKNOWN"
    assert all(mask in str(caught.value.facts["known"]) for mask in MASKS)
