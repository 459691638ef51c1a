"""Whose card a CRS is: certificate, codice fiscale and personal data vouch for each other."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from backend.domain.personalisation import (
    Holder,
    check_declared,
    check_holder,
    new_purse,
    random_digits,
)
from backend.errors import ConflictError, NotGenuineError
from cardlib.codec.personal_data import PersonalData
from cardlib.dialogues.blank_card import BlankCard
from simulator.card.masks import CRS_STINCARD, TRAINING_TRANSPORT_KEYS, make_card
from simulator.card.personal import Holder as FictitiousHolder
from simulator.card.personal import training_ca_certificate
from simulator.card.randomness import SeededRandomness

NOW = datetime(2026, 5, 1, tzinfo=UTC)
PERSON = FictitiousHolder()
CA_KEY = ec.derive_private_key(12345, ec.SECP256R1())
DATA = PersonalData(surname="BIANCHI", name="LUCA", codice_fiscale="BNCLCU80A01L872X")
Certify = Callable[[bytes], bytes]


def name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def certificate(common_name: str, key: ec.EllipticCurvePrivateKey = CA_KEY) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(common_name))
        .issuer_name(name("CA"))
        .public_key(CA_KEY.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=100))
        .not_valid_after(NOW + timedelta(days=100))
    )
    return builder.sign(key, hashes.SHA256())


CA = certificate("CA")


def holder_certificate(hashed: bytes, fiscale: str = DATA.codice_fiscale) -> bytes:
    digest = base64.b64encode(hashlib.sha1(hashed).digest()).decode()
    issued = certificate(f"{fiscale}/6030000000000019.{digest}")
    return issued.public_bytes(Encoding.DER).ljust(1536, b"\x00")


def crs(hashed: bytes, file: bytes, fiscale: str = DATA.codice_fiscale) -> BlankCard:
    return BlankCard("6030000000000019", (), holder_certificate(hashed, fiscale), file)


def real_crs() -> BlankCard:
    memory = make_card(CRS_STINCARD, SeededRandomness("x"), PERSON, TRAINING_TRANSPORT_KEYS)
    person = memory.find((0x1100,))
    assert person is not None
    contents = {file.spec.fid: file.content for file in person.files}
    return BlankCard(memory.serial, (), contents[0x1101], contents[0x1102])


def test_a_genuine_card_names_its_holder() -> None:
    card = real_crs()

    holder = check_holder(card, [training_ca_certificate()], NOW)

    assert holder == Holder(
        PERSON.codice_fiscale, PERSON.surname, PERSON.name, "15031980", card.serial
    )


@pytest.mark.parametrize("padded", [True, False], ids=["with padding", "without"])
def test_the_hash_may_cover_the_padding_or_not(padded: bool) -> None:
    file = DATA.encode(400)
    card = crs(file if padded else DATA.encode(), file)

    assert check_holder(card, [CA], NOW).surname == "BIANCHI"


def refused(card: BlankCard, authorities: list[x509.Certificate], at: datetime = NOW) -> str:
    with pytest.raises(NotGenuineError) as caught:
        check_holder(card, authorities, at)
    return f"{caught.value.code} {caught.value.facts.get('why', '')}".strip()


def test_personal_data_changed_after_issue_are_refused() -> None:
    card = crs(DATA.encode(400), replace(DATA, name="LUCIA").encode(400))
    assert refused(card, [CA]) == "HOLDER_NOT_PROVEN hash of EF_Dati_personali"


def test_another_codice_fiscale_in_the_certificate_is_refused() -> None:
    file = DATA.encode(400)
    card = crs(file, file, fiscale="XXXXXX80A01L872X")
    assert refused(card, [CA]) == "HOLDER_NOT_PROVEN codice fiscale"


def test_a_certificate_of_a_stranger_is_refused() -> None:
    assert refused(real_crs(), [CA]) == "HOLDER_NOT_PROVEN issuing authority"
    impostor = certificate("CA", ec.derive_private_key(999, ec.SECP256R1()))
    assert refused(crs(b"", b""), [impostor]).startswith("HOLDER_NOT_PROVEN")


def test_an_authority_with_the_right_name_and_another_key_is_refused() -> None:
    other = ec.derive_private_key(999, ec.SECP256R1())
    digest = base64.b64encode(hashlib.sha1(DATA.encode(400)).digest()).decode()
    forged = certificate(f"{DATA.codice_fiscale}/6030000000000019.{digest}", other)
    card = BlankCard("6030000000000019", (), forged.public_bytes(Encoding.DER), DATA.encode(400))
    assert refused(card, [CA]) == "HOLDER_NOT_PROVEN issuing authority"


def test_an_expired_card_is_refused() -> None:
    late = datetime(2045, 1, 1, tzinfo=UTC)
    assert refused(real_crs(), [training_ca_certificate()], late) == "HOLDER_CARD_EXPIRED"


@pytest.mark.parametrize("file", [b"", b"\x30\x82\xff\xff", b"\x30\x82\x00\x02ab", bytes(1536)])
def test_what_is_no_certificate_is_refused(file: bytes) -> None:
    card = BlankCard("6030000000000019", (), file, DATA.encode(400))
    assert refused(card, [CA]) == "HOLDER_NOT_PROVEN certificate"


def test_the_official_may_have_somebody_else_before_him() -> None:
    holder = check_holder(real_crs(), [training_ca_certificate()], NOW)
    check_declared(holder, f" {PERSON.codice_fiscale.lower()} ")
    with pytest.raises(ConflictError, match="HOLDER_DIFFERS"):
        check_declared(holder, DATA.codice_fiscale)


def test_a_new_purse_is_random_and_demands_its_pin() -> None:
    randomness = SeededRandomness("purses")
    issuer = bytes.fromhex("015146")
    one = new_purse(issuer, 1, randomness, date(2026, 5, 1), 1_780_000_000)
    two = new_purse(issuer, 1, randomness, date(2026, 5, 1), 1_780_000_000)

    assert one.info.purse != two.info.purse
    assert one.info.pin_enforced
    assert one.info.expires_on == date(2032, 12, 31)
    assert (len(one.pin), len(one.puk)) == (5, 8)
    assert (one.init.ctr, sum(one.init.spent), one.init.prev) == (0, 0, bytes(4))
    assert one.init.intent_hash != two.init.intent_hash


def test_digits_keep_their_leading_zeros() -> None:
    class Zeros:
        def bytes(self, count: int) -> bytes:
            return bytes(count)

    assert random_digits(Zeros(), 5) == "00000"
