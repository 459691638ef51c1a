"""What anybody may read of a card without a key: for developers and for the doctor.

Nothing here is authenticated and nothing may be decided from it. Holder data is
not read (DESIGN 2, law 8).
"""

from dataclasses import dataclass

from cardlib.codec.commands import give_random, read_binary, read_info, select, select_purse
from cardlib.codec.files import (
    DF_BUONO_FIRST,
    DF_BUONO_LAST,
    DF_SERVICES,
    EF_GDO,
    EF_ID_CARTA,
    EF_SPEND,
    Path,
)
from cardlib.codec.purse import Info, SpendType
from cardlib.codec.status import Status
from cardlib.dialogues.volley import Dialogue, send, send_all
from cardlib.errors import CardAnswerError, PurseRefusedError
from cardlib.keys.secure_messaging import read_record_command, split_record_answer
from cardlib.keys.suites import MAC_SIZE

FREE_READ_MAX = 32


@dataclass(frozen=True, slots=True)
class PurseSummary:
    """One purse directory and its EF.INFO, as the card says it."""

    directory: int
    info: Info


@dataclass(frozen=True, slots=True)
class CardSummary:
    """``card_id``: EF_ID_Carta of a CRS, None on other cards; ``serial``: EF.GDO in hex."""

    card_id: str | None
    serial: str | None
    has_services: bool
    purses: tuple[PurseSummary, ...]


@dataclass(frozen=True, slots=True)
class LogLine:
    """The clear part of one EF.SPEND record; ``type`` is None when empty or torn by sight."""

    index: int
    type: SpendType | None
    ctr: int
    intent_hash: bytes


def inspect_card() -> Dialogue[CardSummary]:
    """Reads the free files and every purse directory from B001 upward."""
    card_id = yield from _read_free(EF_ID_CARTA)
    gdo = yield from _read_free(EF_GDO)
    services = yield from send(select((DF_SERVICES,)))
    purses = yield from _purses()
    return CardSummary(
        card_id.decode("ascii", "replace") if card_id is not None else None,
        gdo.hex() if gdo is not None else None,
        services.ok,
        tuple(purses),
    )


def _read_free(path: Path) -> Dialogue[bytes | None]:
    selected = yield from send(select(path))
    if not selected.ok:
        return None
    answer = yield from send(read_binary(0, FREE_READ_MAX))
    readable = answer.status in (Status.OK, Status.END_OF_FILE)
    return answer.data if readable else None


def _purses() -> Dialogue[list[PurseSummary]]:
    found: list[PurseSummary] = []
    for directory in range(DF_BUONO_FIRST, DF_BUONO_LAST + 1):
        if not (yield from send(select_purse(directory))).ok:
            break
        answer = yield from send(read_info())
        if answer.ok:
            found.append(PurseSummary(directory, Info.decode(answer.data)))
    return found


def read_log(directory: int = DF_BUONO_FIRST) -> Dialogue[list[LogLine]]:
    """The clear parts of the 20 records, newest first; MACs are not checked.

    PurseRefusedError ``PURSE_MISSING`` when there is no such directory.
    """
    if not (yield from send(select_purse(directory))).ok:
        raise PurseRefusedError("PURSE_MISSING")
    yield from send_all(give_random(bytes(MAC_SIZE)))
    lines: list[LogLine] = []
    for index in range(1, EF_SPEND.records + 1):
        command = read_record_command(index, EF_SPEND.read_p2, EF_SPEND.record_size)
        answer = yield from send(command)
        if answer.status == Status.RECORD_NOT_FOUND:
            break
        if not answer.ok:
            raise CardAnswerError(answer.status, "READ RECORD")
        record, _ = split_record_answer(answer, EF_SPEND.record_size)
        lines.append(_line(index, record))
    return lines


def _line(index: int, record: bytes) -> LogLine:
    written = any(record) and record[0] <= SpendType.VOID
    kind = SpendType(record[0]) if written else None
    return LogLine(index, kind, int.from_bytes(record[1:4], "big"), record[4:12])
