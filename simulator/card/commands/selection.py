"""SELECT FILE (00 A4): by id, parent, AID, path from the MF, path from here.

A failed SELECT changes nothing. A directory in creation state is not found.
"""

from cardlib.codec.apdu import Command, Response
from cardlib.codec.files import MF
from cardlib.codec.status import Status
from simulator.card.chip import Chip
from simulator.card.fci import fci
from simulator.card.filesystem import Directory, ElementaryFile
from simulator.card.refusal import Refusal

_BY_FID = 0x00
_WANTS_FCI, _WANTS_NOTHING = 0x00, 0x0C

Place = tuple[list[Directory], ElementaryFile | None]
"""A path of directories from the MF, and a file in the last one."""


def select(chip: Chip, command: Command) -> Response:
    """Selects a directory or file; answers its FCI when P2 is 00 and Le is there."""
    if command.p2 not in (_WANTS_FCI, _WANTS_NOTHING):
        raise Refusal(Status.WRONG_P1P2)
    path, file = _find(chip, command)
    same_directory = len(path) == len(chip.session.path) and path[-1] is chip.session.directory
    if file is not None and same_directory and command.p1 == _BY_FID:
        chip.session.current_file = file
    else:
        chip.session.enter(path, file)
    answers = command.p2 == _WANTS_FCI and command.le is not None
    return Response(fci(file or path[-1], chip.traits.fci) if answers else b"", Status.OK)


def _find(chip: Chip, command: Command) -> Place:
    here = chip.session.path
    match command.p1:
        case 0x00:
            return _by_fid(here, command.data)
        case 0x03:
            return _parent(here, command.data)
        case 0x04:
            raise Refusal(Status.FILE_NOT_FOUND)
        case 0x08:
            return _by_path(here[:1], command.data)
        case 0x09:
            return _by_path(here, command.data)
        case _:
            raise Refusal(Status.WRONG_P1P2)


def _by_fid(here: list[Directory], data: bytes) -> Place:
    """The MF, a child, or a sibling of the current directory."""
    if not data:
        return here[:1], None
    (fid,) = _fids(data, 1)
    if fid == MF:
        return here[:1], None
    for path in (here, here[:-1]):
        found = _child(path, fid) if path else None
        if found:
            return found
    raise Refusal(Status.FILE_NOT_FOUND)


def _parent(here: list[Directory], data: bytes) -> Place:
    if data:
        raise Refusal(Status.WRONG_LENGTH)
    if len(here) == 1:
        raise Refusal(Status.FILE_NOT_FOUND)
    return here[:-1], None


def _by_path(start: list[Directory], data: bytes) -> Place:
    path, file = list(start), None
    fids = _fids(data)
    for position, fid in enumerate(fids):
        found = _child(path, fid)
        if found is None or (found[1] and position < len(fids) - 1):
            raise Refusal(Status.FILE_NOT_FOUND)
        path, file = found
    return path, file


def _child(path: list[Directory], fid: int) -> Place | None:
    directory = path[-1].directory(fid)
    if directory:
        return [*path, directory], None
    file = path[-1].file(fid)
    return (path, file) if file else None


def _fids(data: bytes, count: int | None = None) -> list[int]:
    wrong_count = count is not None and len(data) != 2 * count
    if not data or len(data) % 2 or wrong_count:
        raise Refusal(Status.WRONG_LENGTH)
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
