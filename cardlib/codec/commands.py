"""The commands of the card profile, each with the place that defines it.

Sources: ISO/IEC 7816-4:2020, clause 11; for GIVE RANDOM the CNS command list
(coding unverified, docs/card-profile.md); purse directory: PROTOCOL 2.
"""

from cardlib.codec.apdu import Command
from cardlib.codec.files import DF_SERVICES, EF_INFO, KeyId, Path, PinReference, path_bytes
from cardlib.codec.pin import Pin

INS_READ_RECORD, INS_UPDATE_BINARY, INS_UPDATE_RECORD = 0xB2, 0xD6, 0xDC
CHALLENGE_SIZE = 8
_SELECT_BY_PATH = 0x08
_NO_FCI = 0x0C


def select(path: Path) -> Command:
    """SELECT by path from the MF, without file control information."""
    return Command(0x00, 0xA4, _SELECT_BY_PATH, _NO_FCI, path_bytes(path))


def select_purse(directory: int) -> Command:
    """SELECT one DF.BUONO, for example 0xB001."""
    return select((DF_SERVICES, directory))


def read_info() -> Command:
    """READ BINARY of EF.INFO by its short id: 17 bytes."""
    return Command(0x00, 0xB0, 0x80 | EF_INFO.sfi, 0, le=EF_INFO.size)


def get_challenge() -> Command:
    """GET CHALLENGE: the card's 8-byte random for the next secured write."""
    return Command(0x00, 0x84, 0, 0, le=CHALLENGE_SIZE)


def give_random(random: bytes) -> Command:
    """GIVE RANDOM: the host's 8 bytes for the card's answers."""
    return Command(0x80, 0x86, 0, 0, random)


def choose_answer_key(key: KeyId) -> Command:
    """MSE SET: the key that MACs the answers of READ RECORD from now on."""
    return Command(0x00, 0x22, 0x21, 0xB4, bytes((0x83, 0x01, key)))


def internal_authenticate(data: bytes) -> Command:
    """INTERNAL AUTHENTICATE of a legacy purse: the chip's MAC over eight bytes of the host's."""
    return Command(0x00, 0x88, 0x00, KeyId.ORACLE, data, 8)


def verify_pin(pin: Pin) -> Command:
    """VERIFY of the purse PIN."""
    return Command(0x00, 0x20, 0x00, PinReference.PURSE_PIN, pin.block)


def tries_left() -> Command:
    """VERIFY of the purse PIN without a PIN: 9000 when it is verified, else the tries left."""
    return Command(0x00, 0x20, 0x00, PinReference.PURSE_PIN)


def change_pin(old: Pin, new: Pin) -> Command:
    """CHANGE REFERENCE DATA of the purse PIN."""
    return Command(0x00, 0x24, 0x00, PinReference.PURSE_PIN, old.block + new.block)


def unblock_pin(puk: Pin, new: Pin) -> Command:
    """RESET RETRY COUNTER with the PUK and a new PIN."""
    return Command(0x00, 0x2C, 0x00, PinReference.PURSE_PIN, puk.block + new.block)


def read_binary(offset: int, length: int) -> Command:
    """READ BINARY of the current file."""
    return Command(0x00, 0xB0, offset >> 8, offset & 0xFF, le=length)
