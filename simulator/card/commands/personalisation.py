"""CREATE FILE (0C E0), PUT DATA (0C DA), ACTIVATE FILE (0C 44), CHANGE KEY DATA (9C 24).

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
    PinReference,
    PurseFile,
)
from cardlib.codec.purse import EMPTY_SPEND
from cardlib.codec.status import Status
from cardlib.errors import CardlibError
from simulator.card import crypto
from simulator.card.access import FREE, Pin, is_pin
from simulator.card.chip import Chip
from simulator.card.commands.applet_purse import can_start
from simulator.card.fci import TAG_FCP, directory_objects, file_objects
from simulator.card.filesystem import Directory, ElementaryFile, FileSpec, LifeCycle
from simulator.card.refusal import Refusal
from simulator.card.secure_messaging import (
    TAG_CRYPTOGRAM,
    TAG_PLAIN,
    SecuredWrite,
    info_of,
    keys_for,
    transport_keys,
)
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
_OCI = 0x016E
_REFERENCE, _TRIES, _BODY = 0x83, 0x85, 0x8F
_KEY_TRIES = 0xFF


def refuse_plain(_chip: Chip, _command: Command) -> Response:
    """These commands exist under secure messaging only."""
    raise Refusal(Status.SECURITY_STATUS)


# CREATE FILE ------------------------------------------------------------------------------


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
    outer = _objects(content)
    if len(outer) != 1 or outer[0].tag != TAG_FCP:
        raise Refusal(Status.WRONG_DATA)
    return _objects(outer[0].value)


def _objects(content: bytes) -> list[tlv.Tlv]:
    try:
        return tlv.decode_strict(content)
    except CardlibError:
        raise Refusal(Status.WRONG_DATA) from None


# PUT DATA ---------------------------------------------------------------------------------


def plan_put_data(chip: Chip, command: Command) -> SecuredWrite:
    """One key or PIN of an unfinished purse, enciphered; again replaces it."""
    if command.p1 << 8 | command.p2 != _OCI:
        raise Refusal(Status.WRONG_P1P2)
    purse, keys = _unfinished(chip), PURSE_KEYS[chip.traits.purse]

    def write(content: bytes) -> None:
        chip.write(lambda: _install(purse, content, keys))

    def check(content: bytes) -> None:
        reference, body = _security_object(content, keys)
        if reference in keys:
            _require_good_key(purse, body)

    return SecuredWrite(keys_for(chip, KeyId.TRANSPORT_COMMAND), TAG_CRYPTOGRAM, write, check)


def _unfinished(chip: Chip) -> Directory:
    purse = chip.session.directory
    if purse.life is not LifeCycle.CREATION:
        raise Refusal(Status.SECURITY_STATUS)
    return purse


def _install(purse: Directory, content: bytes, keys: frozenset[int]) -> None:
    reference, body = _security_object(content, keys)
    if reference == PIN_ID:
        purse.pins[PIN_ID] = Pin.fresh(body, PIN_TRIES, unblocked_by=PUK_ID)
    elif reference == PUK_ID:
        purse.pins[PUK_ID] = Pin.fresh(body, PUK_TRIES)
    else:
        purse.keys[reference] = body


def _security_object(content: bytes, keys: frozenset[int]) -> tuple[int, bytes]:
    """Id and body of a key, a PIN or a PUK, exactly as the profile has them."""
    objects = _objects(content)
    if [item.tag for item in objects] != [_REFERENCE, _TRIES, _BODY]:
        raise Refusal(Status.WRONG_DATA)
    reference, tries, body = (item.value for item in objects)
    if len(reference) != 2 or not _follows_profile(reference[0], reference[1], tries, body, keys):
        raise Refusal(Status.WRONG_DATA)
    return reference[1], body


def _follows_profile(
    kind: int, reference: int, tries: bytes, body: bytes, keys: frozenset[int]
) -> bool:
    match kind, reference:
        case 0x20, _ if reference in keys:
            return tries == bytes((_KEY_TRIES,)) and len(body) == crypto.KEY_SIZE
        case 0x00, 0x1C:
            return tries == bytes((PIN_TRIES,)) and is_pin(body)
        case 0x00, 0x1D:
            return tries == bytes((PUK_TRIES,)) and is_pin(body, digits_min=8)
        case _:
            return False


# ACTIVATE FILE ----------------------------------------------------------------------------


def plan_activate_file(chip: Chip, command: Command) -> SecuredWrite:
    """Ends the creation state; 6985 while anything of the profile is missing."""
    if command.p1 or command.p2:
        raise Refusal(Status.WRONG_P1P2)
    purse = _unfinished(chip)

    def check(_content: bytes) -> None:
        if not _complete(purse, chip.traits.purse):
            raise Refusal(Status.CONDITIONS)
        for key in purse.keys.values():
            _require_good_key(purse, key)

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


# CHANGE KEY DATA --------------------------------------------------------------------------


def plan_change_key_data(chip: Chip, command: Command) -> SecuredWrite:
    """A new key of an operational purse; the answer is under the old K_AR."""
    if command.p1 or not command.p2 & 0x80:
        raise Refusal(Status.WRONG_P1P2)
    purse, reference = chip.session.directory, command.p2 & 0x7F
    if purse.life is LifeCycle.CREATION:
        raise Refusal(Status.SECURITY_STATUS)
    if chip.traits.purse is PurseKind.APPLET:  # its records cannot be sealed anew by anybody else
        raise Refusal(Status.FUNCTION_NOT_SUPPORTED)
    if reference not in purse.keys or reference not in PURSE_KEYS[chip.traits.purse]:
        raise Refusal(Status.REFERENCE_NOT_FOUND)

    def change(key: bytes) -> None:
        purse.keys[reference] = key

    def check(content: bytes) -> None:
        if len(content) != crypto.KEY_SIZE:
            raise Refusal(Status.WRONG_LENGTH)
        _require_good_key(purse, content)

    return SecuredWrite(
        keys_for(chip, KeyId.ADMIN_COMMAND),
        TAG_CRYPTOGRAM,
        write=lambda content: chip.write(lambda: change(content)),
        check=check,
    )


def _require_good_key(purse: Directory, key: bytes) -> None:
    """6A80 for a key that the purse's suite refuses, as far as EF.INFO names one yet."""
    info = info_of(purse)
    suite = None if info is None else crypto.SUITES.get(info.suite)
    if suite is not None and not suite.accepts(key):
        raise Refusal(Status.WRONG_DATA)
