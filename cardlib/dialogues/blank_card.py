"""A first look at a card that is to carry a purse: nothing is written, nothing is believed.

Serial number, purses already there, and on a CRS what its certificate authority
vouches for. Judging that is the caller's affair.
"""

from dataclasses import dataclass

from cardlib.codec import tlv
from cardlib.codec.commands import read_binary, read_info, select, select_purse
from cardlib.codec.files import (
    DF_BUONO_FIRST,
    DF_BUONO_LAST,
    EF_C_CARTA,
    EF_DATI_PERSONALI,
    EF_GDO,
    Path,
)
from cardlib.codec.purse import Info
from cardlib.codec.status import Status
from cardlib.dialogues.volley import Dialogue, check_shape
from cardlib.errors import CardAnswerError, MalformedError, PurseRefusedError

_BLOCK = 256
_BLOCKS_MAX = 12
"""READ BINARY commands for one file: 3 KiB are more than a certificate takes."""
_SERIAL_NUMBER = 0x5A


@dataclass(frozen=True, slots=True)
class BlankCard:
    """What the card shows before anything is written; none of it is authenticated.

    ``serial`` is EF.GDO's, in digits; ``purses`` are those it carries already.
    ``certificate`` (DER, as in the file) and ``personal_data`` are empty on a
    white card.
    """

    serial: str
    purses: tuple[Info, ...]
    certificate: bytes = b""
    personal_data: bytes = b""

    @property
    def next_directory(self) -> int:
        """Directories are filled without gaps."""
        return DF_BUONO_FIRST + len(self.purses)


def look() -> Dialogue[BlankCard]:
    """Serial, purses, and on a CRS the certificate and EF_Dati_personali."""
    serial, purses = yield from _serial_and_purses()
    certificate = yield from _read_file(EF_C_CARTA)
    personal_data = (yield from _read_file(EF_DATI_PERSONALI)) if certificate else b""
    return BlankCard(serial, purses, certificate, personal_data)


def _serial_and_purses() -> Dialogue[tuple[str, tuple[Info, ...]]]:
    directories = range(DF_BUONO_FIRST, DF_BUONO_LAST + 1)
    probes = [command for fid in directories for command in (select_purse(fid), read_info())]
    volley = (select(EF_GDO), read_binary(0, _BLOCK), *probes)
    answers = yield volley
    check_shape(volley, answers)
    if len(answers) < 3:
        raise PurseRefusedError("CARD_NOT_CRS")
    if not answers[-1].ok and answers[-1].status != Status.FILE_NOT_FOUND:
        raise CardAnswerError(answers[-1].status, "SELECT")
    infos = tuple(Info.decode(item.data) for item in answers[3::2] if item.ok)
    return serial_of(answers[1].data), infos


def serial_of(gdo: bytes) -> str:
    """The serial number's digits in EF.GDO (``5A``); a filler F at the end is dropped."""
    serial = tlv.find(tlv.decode(gdo), _SERIAL_NUMBER)
    if not serial:
        raise MalformedError("EF.GDO", "no serial number")
    return serial.hex().upper().rstrip("F")


def _read_file(path: Path) -> Dialogue[bytes]:
    """A transparent file from its start; empty when there is none."""
    blocks = [read_binary(number * _BLOCK, _BLOCK) for number in range(_BLOCKS_MAX)]
    volley = (select(path), *blocks)
    answers = yield volley
    check_shape(volley, answers)
    last = answers[-1]
    if len(answers) == 1 and last.status == Status.FILE_NOT_FOUND:
        return b""
    if not last.ok and last.status not in (Status.END_OF_FILE, Status.WRONG_OFFSET):
        raise CardAnswerError(last.status, "READ BINARY")
    return b"".join(item.data for item in answers[1:])
