"""READ BINARY (00 B0) and UPDATE BINARY (00 D6, 0C D6) of transparent files.

Of an operational EF.INFO only two places are ever written: bytes 12-15 and the map
in byte 16 (PROTOCOL 2); while it is personalised, all of it at once.
"""

from cardlib.codec.apdu import Command, Response
from cardlib.codec.files import EF_INFO, Structure
from cardlib.codec.status import Status
from simulator.card import crypto
from simulator.card.access import ALWAYS
from simulator.card.chip import Chip
from simulator.card.commands.pins import is_permitted
from simulator.card.filesystem import ElementaryFile, LifeCycle
from simulator.card.refusal import Refusal
from simulator.card.secure_messaging import TAG_PLAIN, SecuredWrite, keys_for
from simulator.card.services import content_of

_SHORT_FORM = 0x80
INFO_WRITES = {12: 4, 16: 1}
"""Length by offset of what may be written in an operational EF.INFO."""


def read_binary(chip: Chip, command: Command) -> Response:
    """Reads up to Le bytes; where the file ends before, the mask has its own status."""
    file, offset = _target(chip, command)
    _require(chip, file.spec.access.read)
    if command.le is None or command.data:
        raise Refusal(Status.WRONG_LENGTH)
    end = chip.traits.end_of_file
    if offset > file.spec.size:
        raise Refusal(end.beyond)
    chip.session.current_file = file
    data = content_of(chip.session.directory, file)[offset : offset + command.le]
    # Le of all zeros asks for what there is (ISO/IEC 7816-4, 7.2.3), 6282 only for nothing.
    wanted = min(command.le, 1) if command.le in (256, 65536) else command.le
    return Response(data, Status.OK if len(data) >= wanted else end.short)


def update_binary(chip: Chip, command: Command) -> Response:
    """Plain write: only into files that may be written so, no purse file among them."""
    file, offset = _target(chip, command)
    _require(chip, file.spec.access.update)
    if not command.data or offset + len(command.data) > file.spec.size:
        raise Refusal(Status.WRONG_LENGTH)
    _overwrite(chip, file, offset, command.data)
    return Response(b"", Status.OK)


def plan_update_binary(chip: Chip, command: Command) -> SecuredWrite:
    """EF.INFO under secure messaging."""
    file, offset = _target(chip, command)
    directory = chip.session.directory
    if directory.file_by_sfi(EF_INFO.sfi) is not file:
        raise Refusal(Status.SECURITY_STATUS)
    creation = directory.life is LifeCycle.CREATION
    lengths = {0: EF_INFO.size} if creation else INFO_WRITES
    if not command.p1 & _SHORT_FORM or offset not in lengths:
        raise Refusal(Status.WRONG_P1P2)

    def check(content: bytes) -> None:
        if len(content) != lengths[offset]:
            raise Refusal(Status.WRONG_LENGTH)
        whole = file.content[:offset] + content + file.content[offset + len(content) :]
        if whole[12] & 0x0F not in crypto.SUITES:
            raise Refusal(Status.WRONG_DATA)

    return SecuredWrite(
        keys_for(chip, file.spec.access.update),
        TAG_PLAIN,
        write=lambda content: _overwrite(chip, file, offset, content),
        check=check,
    )


def _target(chip: Chip, command: Command) -> tuple[ElementaryFile, int]:
    """The file that P1-P2 mean, by short id or the current one, and the offset in it."""
    if command.p1 & _SHORT_FORM:
        if command.p1 & 0x60:
            raise Refusal(Status.WRONG_P1P2)
        file, offset = chip.session.directory.file_by_sfi(command.p1 & 0x1F), command.p2
        if file is None:
            raise Refusal(Status.FILE_NOT_FOUND)
    else:
        file, offset = chip.session.current_file, command.p1 << 8 | command.p2
        if file is None:
            raise Refusal(Status.NO_CURRENT_EF)
    file.require(Structure.TRANSPARENT)
    return file, offset


def _require(chip: Chip, condition: int) -> None:
    if condition != ALWAYS and not is_permitted(chip, condition):
        raise Refusal(Status.SECURITY_STATUS)


def _overwrite(chip: Chip, file: ElementaryFile, offset: int, content: bytes) -> None:
    old = file.content
    new = old[:offset] + content + old[offset + len(content) :]

    def change() -> None:
        file.records[0] = new

    chip.write(change)
