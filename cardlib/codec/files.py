"""The files of a CNS card and of a purse directory, as a specification.

What each file *is*: its place, structure and size. What one card's file holds
is the simulator's or the card's affair. Source: OpenSC pkcs15-itacns, CIE file
system 2.0.3; purse files: PROTOCOL 2. Unverified points: docs/card-profile.md.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

Path = tuple[int, ...]
"""File ids from below the MF down, two bytes each."""

MF = 0x3F00
DF_SYSTEM = 0x1000
DF_HOLDER = 0x1100
DF_SERVICES = 0x1200
DF_SIGNATURE = 0x1400
DF_BUONO_FIRST = 0xB001
DF_BUONO_LAST = 0xB00F

EF_ATR: Path = (0x2F01,)
EF_GDO: Path = (0x2F02,)
EF_KEY_PUB: Path = (0x3F01,)
EF_CARD_STATUS: Path = (0x3F02,)
EF_ROOT_INST_FILE: Path = (0x0405,)
EF_DATI_PROCESSORE: Path = (DF_SYSTEM, 0x1002)
EF_ID_CARTA: Path = (DF_SYSTEM, 0x1003)
EF_C_CARTA: Path = (DF_HOLDER, 0x1101)
EF_DATI_PERSONALI: Path = (DF_HOLDER, 0x1102)
EF_DATI_PERSONALI_AGGIUNTIVI: Path = (DF_SERVICES, 0x1201)
EF_MEMORIA_RESIDUA: Path = (DF_SERVICES, 0x1202)
EF_SERVIZI_INSTALLATI: Path = (DF_SERVICES, 0x1203)
EF_INST_FILE: Path = (DF_SERVICES, 0x4142)


class Structure(IntEnum):
    """File descriptor byte of tag 82 (ISO/IEC 7816-4, table 14; CNS uses 38 for a DF)."""

    TRANSPARENT = 0x01
    LINEAR_FIXED = 0x02
    CYCLIC_FIXED = 0x06
    DF = 0x38


@dataclass(frozen=True, slots=True)
class PurseFile:
    """One elementary file of DF.BUONO: short id ``sfi``, record count and size in bytes.

    ``access`` is the value of tag 86: READ, UPDATE, seven more. 00 means always, FF
    never, other values the id of the key whose MAC is demanded (of the answer for READ,
    of the command for UPDATE). EF.SPEND's PIN is demanded by the flag in EF.INFO.
    """

    name: str
    fid: int
    sfi: int
    structure: Structure
    records: int
    record_size: int
    access: bytes

    @property
    def read_p2(self) -> int:
        """P2 of READ RECORD and UPDATE RECORD by absolute number (ISO/IEC 7816-4, table 49)."""
        return self.sfi << 3 | 0x04

    @property
    def size(self) -> int:
        """Bytes the content takes."""
        return self.records * self.record_size


_NEVER_ELSE = b"\xff" * 7
EF_INFO = PurseFile("EF.INFO", 0xB101, 1, Structure.TRANSPARENT, 1, 17, b"\x00\x05" + _NEVER_ELSE)
EF_GRANT = PurseFile(
    "EF.GRANT", 0xB102, 2, Structure.LINEAR_FIXED, 8, 95, b"\x03\x05" + _NEVER_ELSE
)
EF_SPEND = PurseFile(
    "EF.SPEND", 0xB103, 3, Structure.CYCLIC_FIXED, 20, 54, b"\x03\x02" + _NEVER_ELSE
)
PURSE_FILES = (EF_INFO, EF_GRANT, EF_SPEND)

EF_SPEND_APPEND_P2 = EF_SPEND.sfi << 3 | 0x03
"""P2 of the one command that writes EF.SPEND: UPDATE RECORD *previous* (P1 00)."""


class KeyId(IntEnum):
    """Ids of the key objects of a purse directory (PROTOCOL 2), and of the services DF.

    RECORD is on applet chips only, ORACLE on legacy chips only (there in place of ATTEST).
    """

    RECORD = 0x01
    DEBIT_COMMAND = 0x02
    DEBIT_RESPONSE = 0x03
    ATTEST = 0x04
    LOAD_COMMAND = 0x05
    LOAD_RESPONSE = 0x06
    ADMIN_COMMAND = 0x07
    ADMIN_RESPONSE = 0x08
    ADMIN_ENCIPHER = 0x09
    TRANSPORT_COMMAND = 0x0A
    TRANSPORT_RESPONSE = 0x0B
    TRANSPORT_ENCIPHER = 0x0C
    ORACLE = 0x0D


class PurseChip(StrEnum):
    """What the chip under a purse directory can do; it decides keys and driver."""

    FILE = "file"
    """The profile: files, secure messaging, an answer key to choose."""
    APPLET = "applet"
    """Checks the arithmetic itself, and seals records at rest: it holds K_REC."""
    LEGACY = "legacy"
    """Answers under one key only, and forgets its challenge with a read."""


class PinReference(IntEnum):
    """P2 values of the PIN commands: 80 = search in the current DF first."""

    CNS_PIN = 0x10
    CNS_PUK = 0x11
    PURSE_PIN = 0x9C
    PURSE_PUK = 0x9D


def path_bytes(path: Path) -> bytes:
    """The path as the data field of SELECT by path (P1 08)."""
    return b"".join(fid.to_bytes(2, "big") for fid in path)
