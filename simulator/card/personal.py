"""A fictitious holder: personal data, codice fiscale, and the certificate of the card.

The certificate's common name is ``<codice fiscale>/<EF_ID_Carta>.<base64 of SHA-1 of
EF_Dati_personali>``, over the whole file as it is read, padding included (whether real
cards hash the padding is not verified). Its issuer is a training authority of our own,
whose key anybody can make again: it vouches for nothing.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cardlib.codec.personal_data import PersonalData
from simulator.card.chip import Randomness
from simulator.errors import MaskError

PERSONAL_DATA_SIZE = 400
REGION = "6030"
"""Card type 6 (citizen, regional) and region 030, Lombardy."""
CNS_POLICY = x509.ObjectIdentifier("1.3.76.16.2.1")
_MONTHS = "ABCDEHLMPRST"
_VOWELS = "AEIOU"
_VALID_FROM, _VALID_TO = datetime(2024, 1, 1, tzinfo=UTC), datetime(2039, 12, 31, tzinfo=UTC)
_CA_FROM, _CA_TO = datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC)
_CA_PHRASE = b"borsellino training certification authority"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who the card is of; ``birth_town`` is a Belfiore code. Nobody who lives, please."""

    surname: str = "ROSSI"
    name: str = "MARIA"
    sex: str = "F"
    born_on: date = date(1980, 3, 15)
    birth_town: str = "M109"

    @property
    def codice_fiscale(self) -> str:
        """Sixteen characters (DM 23 dicembre 1976)."""
        day = self.born_on.day + (40 if self.sex == "F" else 0)
        born = f"{self.born_on:%y}{_MONTHS[self.born_on.month - 1]}{day:02}"
        body = _surname_code(self.surname) + _name_code(self.name) + born + self.birth_town
        return body + _check_letter(body)

    def personal_data(self, issuer: str = REGION) -> bytes:
        """EF_Dati_personali of a card of ``issuer``, padded to its full size."""
        data = PersonalData(
            issuer=issuer,
            issued_on=f"{_VALID_FROM:%d%m%Y}",
            expires_on=f"{_VALID_TO:%d%m%Y}",
            surname=self.surname,
            name=self.name,
            born_on=f"{self.born_on:%d%m%Y}",
            sex=self.sex,
            codice_fiscale=self.codice_fiscale,
            birth_town=self.birth_town,
            residence_town=self.birth_town,
            residence_address="VIA DELLE PROVE 1",
        )
        return data.encode(PERSONAL_DATA_SIZE)


_SURNAMES = ("ROSSI", "BIANCHI", "FERRARI", "COLOMBO", "RICCI", "MARINO", "GRECO", "CONTI")
_WOMEN = ("MARIA", "ANNA", "GIULIA", "CHIARA", "ELENA", "PAOLA", "LAURA", "SARA")
_MEN = ("MARIO", "LUCA", "PAOLO", "MARCO", "ANDREA", "CARLO", "SERGIO", "FABIO")
_TOWNS = ("M109", "E897", "I441", "I577", "B300")
"""Voghera, Mantova, Saronno, Segrate, Busto Arsizio."""


def fictitious_holder(randomness: Randomness) -> Holder:
    """Somebody whom common names and a random birthday make up."""
    surname, name, sex, town, born = randomness.bytes(5)
    woman = sex % 2 == 0
    return Holder(
        surname=_SURNAMES[surname % len(_SURNAMES)],
        name=(_WOMEN if woman else _MEN)[name % len(_WOMEN)],
        sex="F" if woman else "M",
        born_on=date(1940 + born % 60, 1 + town % 12, 1 + surname % 28),
        birth_town=_TOWNS[town % len(_TOWNS)],
    )


def parse_holder(text: str) -> Holder:
    """``SURNAME/NAME/SEX/YYYY-MM-DD/TOWN``, or only the first fields; MaskError otherwise."""
    given = text.upper().split("/")
    filled = given + _DEFAULT_FIELDS[len(given) :]
    try:
        surname, name, sex, born_on, town = filled
        holder = Holder(surname, name, sex, date.fromisoformat(born_on), town)
    except ValueError:
        raise MaskError("CARD_HOLDER", holder=text) from None
    names = surname.strip() and name.strip()
    if not names or sex not in ("M", "F") or not _TOWN.fullmatch(town):
        raise MaskError("CARD_HOLDER", holder=text)
    return holder


_TOWN = re.compile(r"[A-Z][0-9]{3}")
_DEFAULT_FIELDS = ["ROSSI", "MARIA", "F", "1980-03-15", "M109"]


def _letters(text: str) -> tuple[str, str]:
    plain = [letter for letter in text.upper() if "A" <= letter <= "Z"]
    consonants = "".join(letter for letter in plain if letter not in _VOWELS)
    return consonants, "".join(letter for letter in plain if letter in _VOWELS)


def _surname_code(surname: str) -> str:
    consonants, vowels = _letters(surname)
    return (consonants + vowels + "XXX")[:3]


def _name_code(name: str) -> str:
    consonants, vowels = _letters(name)
    if len(consonants) > 3:
        consonants = consonants[0] + consonants[2:4]
    return (consonants + vowels + "XXX")[:3]


_ODD = (
    1,
    0,
    5,
    7,
    9,
    13,
    15,
    17,
    19,
    21,
    2,
    4,
    18,
    20,
    11,
    3,
    6,
    8,
    12,
    14,
    16,
    10,
    22,
    25,
    24,
    23,
)
"""Value of the n-th letter, or of the digit n, in an odd place (from 1)."""


def _check_letter(body: str) -> str:
    values = [int(char) if char.isdigit() else ord(char) - ord("A") for char in body]
    total = sum(_ODD[value] for value in values[::2]) + sum(values[1::2])
    return chr(ord("A") + total % 26)


def luhn_digit(digits: str) -> str:
    """The check digit to append (ISO/IEC 7812-1)."""
    doubled = [int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(digits))]
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def certificate(
    holder: Holder, card_id: str, personal_data: bytes, key: rsa.RSAPublicKey
) -> x509.Certificate:
    """The authentication certificate of a card, signed by the training authority."""
    digest = base64.b64encode(hashlib.sha1(personal_data).digest()).decode()  # noqa: S324 - CNS
    common_name = f"{holder.codice_fiscale}/{card_id}.{digest}"
    subject = _name(common_name, "Comune di Prova")
    builder = _builder(subject, key, int(card_id), _VALID_FROM, _VALID_TO)
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(
            x509.CertificatePolicies([x509.PolicyInformation(CNS_POLICY, None)]), critical=False
        )
    )
    return builder.sign(_ca_key(), hashes.SHA256(), ecdsa_deterministic=True)


def training_ca_certificate() -> x509.Certificate:
    """The authority's own certificate: the trust anchor of a training installation."""
    key = _ca_key()
    builder = _builder(_CA_NAME, key.public_key(), 1, _CA_FROM, _CA_TO)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    ).add_extension(_usage(key_cert_sign=True), critical=True)
    return builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True)


def _ca_key() -> ec.EllipticCurvePrivateKey:
    secret = int.from_bytes(hashlib.sha256(_CA_PHRASE).digest(), "big")
    return ec.derive_private_key(secret, ec.SECP256R1())


def _name(common_name: str, unit: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "IT"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Regione di Prova"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


_CA_NAME = _name("Borsellino Training CA", "Carte di prova")


def _builder(
    subject: x509.Name,
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
    serial: int,
    valid_from: datetime,
    valid_to: datetime,
) -> x509.CertificateBuilder:
    identifier = x509.SubjectKeyIdentifier.from_public_key(key)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(_ca_key().public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(_CA_NAME)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(valid_from)
        .not_valid_after(valid_to)
        .add_extension(identifier, critical=False)
        .add_extension(authority, critical=False)
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
