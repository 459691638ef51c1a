"""What the card profile wants of a purse directory: its EF.INFO, its keys, its PIN and PUK."""

from cardlib.codec.files import KeyId, PinReference
from cardlib.codec.purse import Info
from cardlib.codec.status import Status
from cardlib.errors import CardlibError
from simulator.card import crypto
from simulator.card.chip import Chip
from simulator.card.filesystem import Directory, LifeCycle
from simulator.card.refusal import Refusal
from simulator.card.traits import PurseKind

PIN_ID, PUK_ID = PinReference.PURSE_PIN & 0x1F, PinReference.PURSE_PUK & 0x1F
PIN_TRIES, PUK_TRIES = 3, 10
_PROFILE_KEYS = frozenset(range(KeyId.DEBIT_COMMAND, KeyId.ADMIN_ENCIPHER + 1))
PURSE_KEYS: dict[PurseKind, frozenset[int]] = {
    PurseKind.FILE: _PROFILE_KEYS,
    PurseKind.APPLET: _PROFILE_KEYS | {KeyId.RECORD},
    PurseKind.LEGACY: _PROFILE_KEYS - {KeyId.ATTEST} | {KeyId.ORACLE},
}
"""What a finished purse holds: an applet also K_REC, a legacy chip no K_TC but its own key."""


def info_of(directory: Directory) -> Info | None:
    """What EF.INFO of a purse directory says, None where there is none that can be read."""
    file = directory.file_by_sfi(1)
    try:
        return Info.decode(file.content) if file else None
    except CardlibError:
        return None


def unfinished(chip: Chip) -> Directory:
    """The current directory, a purse in creation state; 6982 for any other."""
    purse = chip.session.directory
    if purse.life is not LifeCycle.CREATION:
        raise Refusal(Status.SECURITY_STATUS)
    return purse


def require_good_key(purse: Directory, key: bytes) -> None:
    """6A80 for a key that the purse's suite refuses, as far as EF.INFO names one yet."""
    info = info_of(purse)
    suite = None if info is None else crypto.SUITES.get(info.suite)
    if suite is not None and not suite.accepts(key):
        raise Refusal(Status.WRONG_DATA)
