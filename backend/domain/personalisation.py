"""Whether a CRS is the holder's own card, and what a new purse looks like.

Before a purse is made on a CRS: the certificate comes from an issuing authority
that the town trusts, its common name carries the holder's codice fiscale and the
hash of EF_Dati_personali, and both agree with the file. The chip cannot tell whose
hand holds it: the official compares the face and the printed number.

CN = ``<codice fiscale>/<EF_ID_Carta>.<base64(SHA-1(EF_Dati_personali))>``. Whether
real cards hash the file with or without its padding is unverified: both count.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hmac import compare_digest

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

from backend.errors import ConflictError, NotGenuineError
from cardlib.codec.personal_data import PersonalData
from cardlib.codec.purse import (
    FLAG_ATTESTATION,
    FLAG_PIN_ENFORCED,
    ZERO_TOTALS,
    Info,
    Spend,
    SpendType,
    Suite,
    day_number,
)
from cardlib.dialogues.blank_card import BlankCard
from cardlib.errors import MalformedError
from cardlib.ports import Randomness

PIN_DIGITS = 5
PUK_DIGITS = 8
PURSE_YEARS = 6
"""A purse made today expires so many years later; CRS cards live as long."""
_HEADER_DIGITS = 6
_DER_SEQUENCE, _DER_LONG = 0x30, 0x80


@dataclass(frozen=True, slots=True)
class Holder:
    """What the official compares with the face and with what is printed on the card."""

    codice_fiscale: str
    surname: str
    name: str
    born_on: str
    card_id: str


def check_holder(card: BlankCard, authorities: Sequence[x509.Certificate], at: datetime) -> Holder:
    """NotGenuineError ``HOLDER_NOT_PROVEN`` unless certificate and file vouch for each other."""
    certificate = _certificate(card.certificate)
    _check_issued(certificate, authorities, at)
    codice_fiscale, card_id, digest = _common_name(certificate)
    if not any(compare_digest(digest, item) for item in _digests(card.personal_data)):
        raise NotGenuineError("HOLDER_NOT_PROVEN", why="hash of EF_Dati_personali")
    data = _personal_data(card.personal_data)
    if data.codice_fiscale != codice_fiscale:
        raise NotGenuineError("HOLDER_NOT_PROVEN", why="codice fiscale")
    return Holder(codice_fiscale, data.surname, data.name, data.born_on, card_id)


def _certificate(file: bytes) -> x509.Certificate:
    """The DER certificate at the start of EF_C_Carta, whatever fills the rest."""
    try:
        return x509.load_der_x509_certificate(file[: _der_length(file)])
    except (ValueError, x509.InvalidVersion) as error:
        raise NotGenuineError("HOLDER_NOT_PROVEN", why="certificate") from error


def _der_length(file: bytes) -> int:
    """Bytes of the outermost DER object (two-byte lengths, as every certificate has)."""
    if len(file) < 4 or file[0] != _DER_SEQUENCE or file[1] != _DER_LONG | 2:
        raise ValueError("no certificate")
    return 4 + int.from_bytes(file[2:4], "big")


def _check_issued(
    certificate: x509.Certificate, authorities: Sequence[x509.Certificate], at: datetime
) -> None:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise NotGenuineError("HOLDER_CARD_EXPIRED")
    for authority in authorities:
        in_time = authority.not_valid_before_utc <= at <= authority.not_valid_after_utc
        if in_time and _issued_by(certificate, authority):
            return
    raise NotGenuineError("HOLDER_NOT_PROVEN", why="issuing authority")


def _issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _common_name(certificate: x509.Certificate) -> tuple[str, str, bytes]:
    """Codice fiscale, card id, and the hash of the personal data."""
    try:
        (attribute,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        codice_fiscale, _, rest = str(attribute.value).partition("/")
        card_id, _, digest = rest.partition(".")
        return codice_fiscale, card_id, base64.b64decode(digest, validate=True)
    except ValueError as error:
        raise NotGenuineError("HOLDER_NOT_PROVEN", why="common name") from error


def _digests(file: bytes) -> tuple[bytes, ...]:
    """SHA-1 of the whole file, of the file without its zeros, and of what it declares."""
    try:
        declared = file[: _HEADER_DIGITS + int(file[:_HEADER_DIGITS], 16)]
    except ValueError:
        declared = file
    forms = {file, file.rstrip(b"\x00"), declared}
    return tuple(hashlib.sha1(form).digest() for form in forms)  # noqa: S324 - as CNS has it


def _personal_data(file: bytes) -> PersonalData:
    try:
        return PersonalData.decode(file)
    except MalformedError as error:
        raise NotGenuineError("HOLDER_NOT_PROVEN", why="EF_Dati_personali") from error


def check_declared(holder: Holder, codice_fiscale: str) -> None:
    """ConflictError ``HOLDER_DIFFERS`` when the official has somebody else before him."""
    if holder.codice_fiscale != codice_fiscale.strip().upper():
        raise ConflictError("HOLDER_DIFFERS")


# The new purse ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class NewPurse:
    """What is chosen for a card, once; a torn personalisation goes on with the same."""

    info: Info
    pin: str
    puk: str
    init: Spend


def new_purse(
    issuer: bytes,
    key_set: int,
    randomness: Randomness,
    today: date,
    unix_seconds: int,
    suite: int = Suite.AES_128,
) -> NewPurse:
    """A purse whose chip demands the PIN; number, PIN, PUK and hash are random."""
    info = Info(
        purse=randomness.bytes(8),
        issuer=issuer,
        suite=suite,
        flags=FLAG_PIN_ENFORCED | FLAG_ATTESTATION,
        key_set=key_set,
        expiry=day_number(expiry_of(today)),
    )
    pin, puk = random_digits(randomness, PIN_DIGITS), random_digits(randomness, PUK_DIGITS)
    init = Spend(
        SpendType.INIT, 0, randomness.bytes(8), ZERO_TOTALS, 0, 0, unix_seconds, 0, bytes(4)
    )
    return NewPurse(info, pin, puk, init)


def expiry_of(today: date) -> date:
    """The last day of a purse made today: the end of the year, so many years on."""
    return date(today.year + PURSE_YEARS, 12, 31)


def random_digits(randomness: Randomness, count: int) -> str:
    """Decimal digits, all as good as equally likely."""
    return f"{int.from_bytes(randomness.bytes(16), 'big') % 10**count:0{count}d}"
