"""Cards as they leave the factory: a regional services card, and the town's white card.

``crs-stincard`` is a CRS of Lombardy on the STIncard mask: everything that a reader of
CNS cards looks for, with a fictitious holder. ``white`` has EF.GDO and the services
directory only. Both carry three transport keys in 3F00/1200 and no purse yet. Contents
that no source describes (2F01 to 4142 below) are plausible fillers.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from cardlib.codec import tlv
from cardlib.codec.files import (
    DF_HOLDER,
    DF_SERVICES,
    DF_SIGNATURE,
    DF_SYSTEM,
    MF,
    KeyId,
    PinReference,
)
from simulator.card.access import FREE, PIN_SIZE, READ_ONLY, Pin
from simulator.card.chip import Randomness
from simulator.card.crypto import KEY_SIZE
from simulator.card.filesystem import Directory, ElementaryFile, Memory
from simulator.card.personal import REGION, Holder, certificate, luhn_digit
from simulator.card.rsa import generate_rsa_key
from simulator.errors import MaskError

CRS_STINCARD = "crs-stincard"
WHITE = "white"
CRS_ATR = bytes.fromhex("3BFF1800FF8131FE55006B02090200011101434E531031808F")
"""A Lombardy CRS in the field (pcsc-tools' list): T=1, IFSC 254, "CNS", version 1.0."""
WHITE_ATR = bytes.fromhex("3BFF1800FF8131FE55006B0209020001010142554F10318099")
"""Ours: as the CRS, with "BUO" where that says "CNS", so that nobody takes it for one."""
CNS_PIN, CNS_PUK = "12345", "87654321"
"""Of every virtual CRS: nobody's secret."""
SIGNATURE_KEY = 0x01
CERTIFICATE_SIZE = 1536
_CNS_TRIES = 3
_WHITE_PREFIX = "9380"
TRANSPORT_KEYS = (
    KeyId.TRANSPORT_COMMAND,
    KeyId.TRANSPORT_RESPONSE,
    KeyId.TRANSPORT_ENCIPHER,
)
TRAINING_TRANSPORT_KEYS: dict[int, bytes] = {
    key: b"training key 0%X " % key for key in TRANSPORT_KEYS
}
"""Public: of stock for issuer 000000 only."""


def random_transport_keys(randomness: Randomness) -> dict[int, bytes]:
    """Three fresh keys, by id."""
    return {key: randomness.bytes(KEY_SIZE) for key in TRANSPORT_KEYS}


def make_card(
    mask: str, randomness: Randomness, holder: Holder, transport_keys: dict[int, bytes]
) -> Memory:
    """A card fresh from the factory; MaskError when there is no such mask."""
    try:
        build = MASKS[mask].build
    except KeyError:
        raise MaskError(mask=mask, known=", ".join(MASKS)) from None
    return build(randomness, holder, dict(transport_keys))


def _crs(randomness: Randomness, holder: Holder, transport_keys: dict[int, bytes]) -> Memory:
    serial = _serial(REGION, randomness)
    key = generate_rsa_key(1024, randomness)
    personal_data = holder.personal_data()
    issued = certificate(holder, serial, personal_data, key.public_key())
    numbers = key.public_key().public_numbers()
    mf = Directory(MF, FREE)
    mf.pins = {
        PinReference.CNS_PIN: Pin.fresh(_padded(CNS_PIN), _CNS_TRIES, PinReference.CNS_PUK),
        PinReference.CNS_PUK: Pin.fresh(_padded(CNS_PUK), _CNS_TRIES),
    }
    mf.rsa_keys = {
        SIGNATURE_KEY: key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    }
    mf.files = [
        _file(0x2F01, (bytes((len(CRS_ATR),)) + CRS_ATR).ljust(30, b"\x00")),
        _gdo(serial),
        _file(0x3F01, _public_key(numbers.n, numbers.e)),
        _file(0x3F02, b"\x01".ljust(8, b"\x00")),
        _file(0x0405, bytes(64)),
    ]
    system = Directory(DF_SYSTEM, FREE)
    system.files = [
        _file(0x1002, bytes.fromhex("0209020001110100").ljust(32, b"\x00")),
        _file(0x1003, serial.encode()),
    ]
    person = Directory(DF_HOLDER, FREE)
    person.files = [
        _file(0x1101, issued.public_bytes(Encoding.DER).ljust(CERTIFICATE_SIZE, b"\x00")),
        _file(0x1102, personal_data),
    ]
    services = _services(transport_keys)
    services.files = [
        _file(0x1201, bytes(64)),
        _file(0x1202, (0x2000).to_bytes(2, "big")),
        _file(0x1203, bytes(64)),
        _file(0x4142, bytes(64)),
    ]
    mf.directories = [system, person, services, Directory(DF_SIGNATURE, FREE)]
    return Memory(CRS_STINCARD, serial, CRS_ATR, mf)


def _white(randomness: Randomness, _holder: Holder, transport_keys: dict[int, bytes]) -> Memory:
    serial = _serial(_WHITE_PREFIX, randomness)
    mf = Directory(MF, FREE, files=[_gdo(serial)], directories=[_services(transport_keys)])
    return Memory(WHITE, serial, WHITE_ATR, mf)


def _services(transport_keys: dict[int, bytes]) -> Directory:
    return Directory(DF_SERVICES, FREE, keys=transport_keys)


def _serial(prefix: str, randomness: Randomness) -> str:
    """Sixteen digits: prefix, eleven random ones, Luhn."""
    number = int.from_bytes(randomness.bytes(8), "big") % 10**11
    digits = f"{prefix}{number:011}"
    return digits + luhn_digit(digits)


def _file(fid: int, content: bytes) -> ElementaryFile:
    return ElementaryFile.transparent(fid, content, READ_ONLY)


def _gdo(serial: str) -> ElementaryFile:
    return _file(0x2F02, bytes(tlv.Tlv(0x5A, bytes.fromhex(serial))))


def _public_key(modulus: int, exponent: int) -> bytes:
    parts = [
        tlv.Tlv(0x81, modulus.to_bytes((modulus.bit_length() + 7) // 8, "big")),
        tlv.Tlv(0x82, exponent.to_bytes(3, "big")),
    ]
    return bytes(tlv.Tlv(0x7F49, tlv.encode(parts)))


def _padded(digits: str) -> bytes:
    return digits.encode().ljust(PIN_SIZE, b"\xff")


@dataclass(frozen=True, slots=True)
class Mask:
    """A kind of card: what it is, and how it is made."""

    about: str
    build: Callable[[Randomness, Holder, dict[int, bytes]], Memory]


MASKS = {
    CRS_STINCARD: Mask("CRS of Lombardy, STIncard mask, RSA-1024, CNS 1.0", _crs),
    WHITE: Mask("the town's own card: EF.GDO and the services directory", _white),
}
