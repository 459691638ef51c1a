"""READ RECORD (0C B2) and UPDATE RECORD (0C DC) of EF.GRANT and EF.SPEND.

Reads answer with a MAC over the host's random and carry none themselves; they leave
the challenge alone. EF.SPEND is written by P1-P2 001B only: the record becomes #1.
"""

from cardlib.codec import tlv
from cardlib.codec.apdu import Command, Response
from cardlib.codec.files import EF_SPEND, EF_SPEND_APPEND_P2, PinReference, Structure
from cardlib.codec.status import Status
from simulator.card.chip import Chip
from simulator.card.commands.pins import is_permitted
from simulator.card.filesystem import ElementaryFile, LifeCycle
from simulator.card.purse_profile import info_of
from simulator.card.refusal import Refusal
from simulator.card.secure_messaging import (
    TAG_PLAIN,
    SecuredWrite,
    keys_for,
    seal,
    suite_of,
    transport_keys,
)

_ABSOLUTE = 0x04
_RECORD_FILES = (Structure.LINEAR_FIXED, Structure.CYCLIC_FIXED)


def refuse_plain(chip: Chip, command: Command) -> Response:
    """Records are read and written under secure messaging only."""
    named_file(chip, command)
    raise Refusal(Status.SECURITY_STATUS)


def read_record(chip: Chip, command: Command) -> Response:
    """One record, by its number from 1, under the answer key of the session."""
    if command.p2 & 0x07 != _ABSOLUTE:
        raise Refusal(Status.WRONG_P1P2)
    file = named_file(chip, command)
    if command.data:
        raise Refusal(Status.SM_OBJECT_WRONG)
    if chip.session.host_random is None:
        raise Refusal(Status.CONDITIONS)
    if not 1 <= command.p1 <= file.spec.records:
        raise Refusal(Status.RECORD_NOT_FOUND)
    return _sealed_record(chip, command, file.records[command.p1 - 1])


def _sealed_record(chip: Chip, command: Command, record: bytes) -> Response:
    directory, random = chip.session.directory, chip.session.host_random
    assert random is not None
    if directory.life is LifeCycle.CREATION:
        keys = transport_keys(chip.session.path[-2])
        suite, key = keys.suite, keys.answer
    else:
        suite, key = suite_of(directory), directory.keys[chip.session.answer_key]
    answer = seal(suite, key, random, command, bytes(tlv.Tlv(TAG_PLAIN, record)))
    if command.le is None:
        raise Refusal(Status.WRONG_LENGTH)
    if command.le < len(answer.data):
        raise Refusal(0x6C00 | len(answer.data))
    return answer


def plan_update_record(chip: Chip, command: Command) -> SecuredWrite:
    """The newest record of EF.SPEND, or any record of EF.GRANT."""
    file = named_file(chip, command)
    cyclic = file.spec.structure is Structure.CYCLIC_FIXED
    if cyclic:
        if (command.p1, command.p2) != (0x00, EF_SPEND_APPEND_P2):
            raise Refusal(Status.WRONG_P1P2)
    elif command.p2 & 0x07 != _ABSOLUTE:
        raise Refusal(Status.WRONG_P1P2)
    index = 0 if cyclic else command.p1 - 1

    def check(content: bytes) -> None:
        if not 0 <= index < file.spec.records:
            raise Refusal(Status.RECORD_NOT_FOUND)
        if len(content) != file.spec.record_size:
            raise Refusal(Status.WRONG_LENGTH)

    return SecuredWrite(
        keys_for(chip, file.spec.access.update),
        TAG_PLAIN,
        write=lambda content: chip.write_record(file, index, content),
        check=check,
        permitted=lambda: may_spend(chip, file),
    )


def may_spend(chip: Chip, file: ElementaryFile) -> bool:
    """Whether the PIN is verified, where writing ``file`` demands it."""
    return not _pin_demanded(chip, file) or _pin_verified(chip)


def _pin_demanded(chip: Chip, file: ElementaryFile) -> bool:
    """EF.SPEND of an operational purse whose EF.INFO says so."""
    directory = chip.session.directory
    if file.spec.sfi != EF_SPEND.sfi or directory.life is LifeCycle.CREATION:
        return False
    info = info_of(directory)
    return info is None or info.pin_enforced


def _pin_verified(chip: Chip) -> bool:
    return is_permitted(chip, PinReference.PURSE_PIN & 0x1F)


def named_file(chip: Chip, command: Command) -> ElementaryFile:
    """The record file that P2 means, by short id or the current one."""
    sfi = command.p2 >> 3
    if sfi:
        file = chip.session.directory.file_by_sfi(sfi)
        if file is None:
            raise Refusal(Status.FILE_NOT_FOUND)
    else:
        file = chip.session.current_file
        if file is None:
            raise Refusal(Status.NO_CURRENT_EF)
    file.require(*_RECORD_FILES)
    return file
