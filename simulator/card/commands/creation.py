"""CREATE FILE (0C E0) and ACTIVATE FILE (0C 44): a purse directory and its files come to be.

A purse directory is made under the transport keys of 3F00/1200 and stays in creation
state until it is activated; creating it again before then empties it, so a personalisation
that was torn starts anew. Numbers are given out without gaps. What does not follow the
card profile is refused with 6A80.
"""

from cardlib.codec import tlv
from cardlib.codec.apdu import Command, Response
from cardlib.codec.files import (
    DF_BUONO_FIRST,
    DF_BUONO_LAST,
    EF_INFO,
    EF_SPEND,
    PURSE_FILES,
    KeyId,
    PurseFile,
)
from cardlib.codec.purse import EMPTY_SPEND
from cardlib.codec.status import Status
from simulator.card.access import FREE
from simulator.card.applet_purse import can_start
from simulator.card.chip import Chip
from simulator.card.fci import TAG_FCP, directory_objects, file_objects
from simulator.card.filesystem import Directory, ElementaryFile, FileSpec, LifeCycle
from simulator.card.purse_profile import (
    PIN_ID,
    PUK_ID,
    PURSE_KEYS,
    info_of,
    require_good_key,
    unfinished,
)
from simulator.card.refusal import Refusal
from simulator.card.secure_messaging import (
    TAG_PLAIN,
    SecuredWrite,
    content_objects,
    keys_for,
    transport_keys,
)
from simulator.card.traits import PurseKind


def refuse_plain(_chip: Chip, _command: Command) -> Response:
    """What personalises a purse exists under secure messaging only."""
    raise Refusal(Status.SECURITY_STATUS)


def plan_create_file(chip: Chip, command: Command) -> SecuredWrite:
    """A purse directory in the services directory, or a file in an unfinished purse."""
    if command.p1 or command.p2:
        raise Refusal(Status.WRONG_P1P2)
    if chip.session.directory.life is LifeCycle.CREATION:
        return _plan_file(chip)
    return _plan_directory(chip)


def _plan_directory(chip: Chip) -> SecuredWrite:
    parent = chip.session.directory

    def write(content: bytes) -> None:
        purse = Directory(_directory_fid(content), FREE, LifeCycle.CREATION)
        finished = _operational(parent)

        def change() -> None:
            parent.directories = [*finished, purse]

        chip.write(change)
        chip.session.enter([*chip.session.path, purse])

    def check(content: bytes) -> None:
        fid, following = _directory_fid(content), DF_BUONO_FIRST + len(_operational(parent))
        if DF_BUONO_FIRST <= fid < following:
            raise Refusal(Status.FILE_EXISTS)
        if fid != following or fid > DF_BUONO_LAST:
            raise Refusal(Status.WRONG_DATA)

    return SecuredWrite(transport_keys(parent), TAG_PLAIN, write, check)


def _operational(parent: Directory) -> list[Directory]:
    return [item for item in parent.directories if item.life is LifeCycle.OPERATIONAL]


def _directory_fid(content: bytes) -> int:
    objects = _template(content)
    fid = int.from_bytes(tlv.find(objects, 0x83) or b"", "big")
    if fid > 0xFFFF or objects != directory_objects(fid, FREE.conditions):
        raise Refusal(Status.WRONG_DATA)
    return fid


def _plan_file(chip: Chip) -> SecuredWrite:
    purse = chip.session.directory

    def write(content: bytes) -> None:
        file = ElementaryFile.empty(FileSpec.of_purse(_purse_file(content)))
        chip.write(lambda: purse.files.append(file))

    def check(content: bytes) -> None:
        if purse.file(_purse_file(content).fid):
            raise Refusal(Status.FILE_EXISTS)

    return SecuredWrite(keys_for(chip, KeyId.TRANSPORT_COMMAND), TAG_PLAIN, write, check)


def _purse_file(content: bytes) -> PurseFile:
    objects = _template(content)
    for file in PURSE_FILES:
        if objects == file_objects(FileSpec.of_purse(file)):
            return file
    raise Refusal(Status.WRONG_DATA)


def _template(content: bytes) -> list[tlv.Tlv]:
    outer = content_objects(content)
    if len(outer) != 1 or outer[0].tag != TAG_FCP:
        raise Refusal(Status.WRONG_DATA)
    return content_objects(outer[0].value)


def plan_activate_file(chip: Chip, command: Command) -> SecuredWrite:
    """Ends the creation state; 6985 while anything of the profile is missing."""
    if command.p1 or command.p2:
        raise Refusal(Status.WRONG_P1P2)
    purse = unfinished(chip)

    def check(_content: bytes) -> None:
        if not _complete(purse, chip.traits.purse):
            raise Refusal(Status.CONDITIONS)
        for key in purse.keys.values():
            require_good_key(purse, key)

    def change() -> None:
        purse.life = LifeCycle.OPERATIONAL

    return SecuredWrite(
        keys_for(chip, KeyId.TRANSPORT_COMMAND),
        content=None,
        write=lambda _content: chip.write(change),
        check=check,
    )


def _complete(purse: Directory, kind: PurseKind) -> bool:
    spend = purse.file(EF_SPEND.fid)
    return (
        all(purse.file(file.fid) for file in PURSE_FILES)
        and purse.file_by_sfi(EF_INFO.sfi) is not None
        and info_of(purse) is not None
        and spend is not None
        and spend.records[0] != EMPTY_SPEND
        and set(purse.keys) == PURSE_KEYS[kind]
        and (kind is not PurseKind.APPLET or can_start(purse))
        and set(purse.pins) == {PIN_ID, PUK_ID}
    )
