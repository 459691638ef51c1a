"""Questions about the CNS side. Files of the holder are not read (DESIGN 2, law 8)."""

from cardlib.codec.apdu import Command
from cardlib.codec.commands import read_binary, select
from cardlib.codec.files import (
    EF_CARD_STATUS,
    EF_DATI_PROCESSORE,
    EF_GDO,
    EF_ID_CARTA,
    EF_INST_FILE,
    EF_KEY_PUB,
    EF_MEMORIA_RESIDUA,
    EF_ROOT_INST_FILE,
    EF_SERVIZI_INSTALLATI,
    Path,
)
from cardlib.codec.status import Status
from cardlib.dialogues.probe.answers import LISTINGS, Question, Questions, Said, Subject, word
from cardlib.dialogues.volley import Dialogue, send, send_all

_READ = 255
_CARD_NUMBER_SIZE = 16
_SHOWN = 4


def _file(path: Path) -> Dialogue[bytes]:
    """Up to 255 bytes; CardAnswerError where there is no such file."""
    yield from send_all(select(path))
    answer = yield from send(read_binary(0, _READ))
    return answer.data if answer.status in (Status.OK, Status.END_OF_FILE) else b""


def _begins(path: Path, *starts: str) -> Question:
    """Whether the file begins with one of ``starts``."""

    def ask(_: Subject) -> Dialogue[Said]:
        data = yield from _file(path)
        good = bool(data) and any(data.startswith(bytes.fromhex(start)) for start in starts)
        return good, f"{data[:_SHOWN].hex().upper()}, {len(data)} bytes"

    return ask


def _zeros(path: Path) -> Question:
    def ask(_: Subject) -> Dialogue[Said]:
        data = yield from _file(path)
        return bool(data) and not any(data), f"{len(data)} bytes"

    return ask


def _size(path: Path, size: int) -> Question:
    def ask(_: Subject) -> Dialogue[Said]:
        data = yield from _file(path)
        return len(data) == size, f"{len(data)} bytes"

    return ask


def _same_number(_: Subject) -> Dialogue[Said]:
    """Whether EF.GDO has the digits of EF_ID_Carta; neither is told."""
    number = yield from _file(EF_ID_CARTA)
    serial = yield from _file(EF_GDO)
    good = len(number) == _CARD_NUMBER_SIZE and serial[2:10].hex().encode() == number
    return good, f"{len(number)} digits, {len(serial)} bytes"


CNS_FILES: Questions = {
    "card_number_16_bytes": _size(EF_ID_CARTA, _CARD_NUMBER_SIZE),
    "gdo_is_card_number": _same_number,
    "key_pub_7f49": _begins(EF_KEY_PUB, "7F49"),
    "card_status_01": _begins(EF_CARD_STATUS, "01"),
    "root_inst_file_zeros": _zeros(EF_ROOT_INST_FILE),
    "inst_file_zeros": _zeros(EF_INST_FILE),
    "processor_data_there": _begins(EF_DATI_PROCESSORE, ""),
    "free_memory_2_bytes": _size(EF_MEMORIA_RESIDUA, 2),
    "services_list_62": _begins(EF_SERVIZI_INSTALLATI, "62", "0000"),
}


def _listing(apdu: str) -> Question:
    """The makers' own commands that name the files of a directory."""
    command = Command.decode(bytes.fromhex(apdu))
    assert command.header in LISTINGS

    def ask(_: Subject) -> Dialogue[Said]:
        yield from send(Command(0x00, 0xA4, 0x00, 0x0C, b"\x3f\x00"))
        answer = yield from send(command)
        return answer.ok and bool(answer.data), f"{word(answer)}, {len(answer.data)} bytes"

    return ask


CNS_LISTINGS: Questions = {
    "listing_8016": _listing("8016020000"),
    "listing_b0fc": _listing("B0FC000003"),
}
