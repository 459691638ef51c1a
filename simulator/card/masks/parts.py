"""What cards of every mask are made of: number, chip file, services directory, keys."""

from cardlib.codec import tlv
from cardlib.codec.files import DF_SERVICES, EF_GDO, KeyId
from simulator.card.access import FREE, PIN_SIZE, READ_ONLY
from simulator.card.chip import Randomness
from simulator.card.crypto import KEY_SIZE
from simulator.card.filesystem import Directory, ElementaryFile
from simulator.card.personal import luhn_digit

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


def services(transport_keys: dict[int, bytes]) -> Directory:
    """3F00/1200, with the keys under which a purse directory is made."""
    return Directory(DF_SERVICES, FREE, keys=transport_keys)


def serial_number(prefix: str, randomness: Randomness) -> str:
    """Sixteen digits: prefix, random ones, Luhn."""
    count = 15 - len(prefix)
    number = int.from_bytes(randomness.bytes(8), "big") % 10**count
    digits = f"{prefix}{number:0{count}}"
    return digits + luhn_digit(digits)


def plain_file(fid: int, content: bytes) -> ElementaryFile:
    """A transparent file that everybody reads and nobody writes."""
    return ElementaryFile.transparent(fid, content, READ_ONLY)


def chip_number(serial: str) -> ElementaryFile:
    """EF.GDO: ``5A`` and the number as BCD digits."""
    return plain_file(EF_GDO[0], bytes(tlv.Tlv(0x5A, bytes.fromhex(serial))))


def padded(digits: str) -> bytes:
    """A PIN as the card stores it."""
    return digits.encode().ljust(PIN_SIZE, b"\xff")
