"""The makers' commands that list a directory: what ``ls`` of OpenSC's explorer asks for.

DIRECTORY of Siemens masks (80 16, P1 02): ``6F 04 { 86 02 id }`` a file or directory, ``6F 00``
when there is none. SCAN DF of the others (B0 FC, P1 00): with P2 00 the first, with 01 the
next one, as descriptor byte and id; 6A82 after the last. Coded as OpenSC 0.23 reads them;
other masks do not have the command (6D00).
"""

from cardlib.codec import tlv
from cardlib.codec.apdu import Command, Response
from cardlib.codec.files import Structure
from cardlib.codec.status import Status
from simulator.card.chip import Chip
from simulator.card.filesystem import Directory, LifeCycle
from simulator.card.refusal import Refusal
from simulator.card.traits import Listing

_BOTH_KINDS_P1 = 0x02
_FIRST, _NEXT = 0x00, 0x01
_ENTRY, _FID = 0x6F, 0x86
_SCAN_SIZE = 3


def directory(chip: Chip, command: Command) -> Response:
    """All files and directories of the current one, at once."""
    _require(chip, Listing.DIRECTORY)
    if command.p1 != _BOTH_KINDS_P1 or command.p2:
        raise Refusal(Status.WRONG_P1P2)
    if command.le is None or command.data:
        raise Refusal(Status.WRONG_LENGTH)
    entries = [
        tlv.Tlv(_ENTRY, bytes(tlv.Tlv(_FID, fid.to_bytes(2, "big"))))
        for _, fid in _listed(chip.session.directory)
    ]
    return Response(tlv.encode(entries or [tlv.Tlv(_ENTRY, b"")]), Status.OK)


def scan(chip: Chip, command: Command) -> Response:
    """One file or directory after the other; the selection of another one starts anew."""
    _require(chip, Listing.SCAN)
    if command.p1 or command.p2 not in (_FIRST, _NEXT):
        raise Refusal(Status.WRONG_P1P2)
    if command.le is None or command.le < _SCAN_SIZE or command.data:
        raise Refusal(Status.WRONG_LENGTH)
    at = 0 if command.p2 == _FIRST else chip.session.scanned
    listed = _listed(chip.session.directory)
    if at >= len(listed):
        raise Refusal(Status.FILE_NOT_FOUND)
    chip.session.scanned = at + 1
    kind, fid = listed[at]
    return Response(bytes((kind,)) + fid.to_bytes(2, "big"), Status.OK)


def _require(chip: Chip, listing: Listing) -> None:
    if chip.traits.listing is not listing:
        raise Refusal(Status.INS_NOT_SUPPORTED)


def _listed(here: Directory) -> list[tuple[Structure, int]]:
    """Kind and id of all that can be selected in a directory."""
    files = [(file.spec.structure, file.spec.fid) for file in here.files]
    made = [item for item in here.directories if item.life is LifeCycle.OPERATIONAL]
    return files + [(Structure.DF, item.fid) for item in made]
