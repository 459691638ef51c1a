"""VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER (00 20, 24, 2C; 0C 2C).

P2 names the object: bit 8 clear looks in the MF, set looks from the current
directory upwards; bits 5-1 are its id (CIE functional specification, table 46). So
10 is the CNS PIN everywhere, 9C is the PIN of the current purse, and 90 is the CNS PIN
everywhere on a mask that searches upwards, but on one that does not only in the MF. A
try is counted, and saved, before the PIN is compared.

P1 00 presents what is needed in the command itself. The CNS PIN knows more forms (ISO/IEC
7816-4:2020, 11.5.7 and 11.5.10): CHANGE with P1 01 brings the new PIN only and is allowed
where the condition of a change, the PIN itself, is met already; RESET with P1 01 brings
the PUK only, with P1 03 nothing, the PUK having been verified. The purse PIN has P1 00
alone, so that nobody changes it for a holder who does not type it.
"""

from cardlib.codec.apdu import Command, Response
from cardlib.codec.files import KeyId, PinReference
from cardlib.codec.status import Status
from simulator.card import crypto
from simulator.card.access import PIN_SIZE, Pin, is_pin
from simulator.card.chip import Chip
from simulator.card.filesystem import Directory
from simulator.card.refusal import Refusal
from simulator.card.secure_messaging import TAG_CRYPTOGRAM, SecuredWrite, keys_for
from simulator.card.traits import PinSearch

_LOCAL = 0x80
_TRIES = 0x63C0
_CNS_IDS = (PinReference.CNS_PIN, PinReference.CNS_PUK)
_RESET_BY_KEY_P1 = 0x02
_NEW_ONLY_P1 = 0x01
_PUK_ONLY_P1, _NOTHING_P1 = 0x01, 0x03


def verify(chip: Chip, command: Command) -> Response:
    """Presents a PIN; with no data it asks how many tries are left."""
    pin = _named(chip, command)
    if not command.data:
        return _tries(chip, pin)
    _present(chip, pin, command.data)
    chip.session.mark_verified(pin)
    return Response(b"", Status.OK)


def change_reference_data(chip: Chip, command: Command) -> Response:
    """The old PIN and a new one, or the new one of a PIN just verified; never of a PUK."""
    pin = _named(chip, command, _NEW_ONLY_P1)
    if pin.unblocked_by is None:
        raise Refusal(Status.SECURITY_STATUS)
    if command.p1 == _NEW_ONLY_P1:
        new = _new_pin(command.data)
        if pin.blocked or not chip.session.is_verified(pin):
            raise Refusal(Status.BLOCKED if pin.blocked else Status.SECURITY_STATUS)
    else:
        old, new = _pair(command.data)
        _present(chip, pin, old)
    _set(chip, pin, new)
    return Response(b"", Status.OK)


def reset_retry_counter(chip: Chip, command: Command) -> Response:
    """The PUK and a new PIN; or only the tries given back, the PUK here or verified before."""
    pin = _named(chip, command, _PUK_ONLY_P1, _NOTHING_P1)
    puk, new = _puk_of(chip, pin), pin.value
    if command.p1 == _NOTHING_P1:
        if command.data:
            raise Refusal(Status.WRONG_LENGTH)
        if not chip.session.is_verified(puk):
            raise Refusal(Status.SECURITY_STATUS)
    elif command.p1 == _PUK_ONLY_P1:
        _present(chip, puk, command.data)
    else:
        value, new = _pair(command.data)
        _present(chip, puk, value)
    _set(chip, pin, new)
    return Response(b"", Status.OK)


def plan_pin_reset(chip: Chip, command: Command) -> SecuredWrite:
    """A new purse PIN under the administration keys, by the backend."""
    if (command.p1, command.p2) != (_RESET_BY_KEY_P1, PinReference.PURSE_PIN):
        raise Refusal(Status.WRONG_P1P2)
    pin = _find(chip, command.p2)

    def check(content: bytes) -> None:
        if len(content) != PIN_SIZE:
            raise Refusal(Status.WRONG_LENGTH)
        if not is_pin(content):
            raise Refusal(Status.WRONG_DATA)

    return SecuredWrite(
        keys_for(chip, KeyId.ADMIN_COMMAND),
        TAG_CRYPTOGRAM,
        write=lambda content: _set(chip, pin, content),
        check=check,
    )


def is_permitted(chip: Chip, condition: int) -> bool:
    """Whether the PIN with id ``condition``, in this directory or above, is verified."""
    for directory in reversed(chip.session.path):
        if condition in directory.pins:
            return chip.session.is_verified(directory.pins[condition])
    return False


def _named(chip: Chip, command: Command, *of_the_cns: int) -> Pin:
    """The PIN that P2 names, when P1 is 00 or a form that the MF's own PINs know."""
    cns = command.p2 & ~_LOCAL in _CNS_IDS
    if command.p1 and not (cns and command.p1 in of_the_cns):
        raise Refusal(Status.WRONG_P1P2)
    return _find(chip, command.p2)


def _find(chip: Chip, reference: int) -> Pin:
    for directory in _searched(chip, reference):
        pin = directory.pins.get(reference & ~_LOCAL)
        if pin:
            return pin
    raise Refusal(Status.REFERENCE_NOT_FOUND)


def _searched(chip: Chip, reference: int) -> list[Directory]:
    """The directories in which a reference looks, in their order."""
    path = chip.session.path
    if not reference & _LOCAL:
        return path[:1]
    return path[-1:] if chip.traits.pin_search is PinSearch.CURRENT else path[::-1]


def _puk_of(chip: Chip, pin: Pin) -> Pin:
    for directory in chip.session.path:
        if any(pin is known for known in directory.pins.values()):
            puk = directory.pins.get(pin.unblocked_by or 0)
            if puk is not None:  # in a directory that is being made, it may come later
                return puk
    raise Refusal(Status.SECURITY_STATUS)


def _tries(chip: Chip, pin: Pin) -> Response:
    if pin.blocked:
        raise Refusal(Status.BLOCKED)
    if chip.session.is_verified(pin):
        return Response(b"", Status.OK)
    raise Refusal(_TRIES | pin.tries_left)


def _pair(data: bytes) -> tuple[bytes, bytes]:
    """What is presented, and the new PIN, whose form is checked before a try is counted."""
    if len(data) != 2 * PIN_SIZE:
        raise Refusal(Status.WRONG_LENGTH)
    return data[:PIN_SIZE], _new_pin(data[PIN_SIZE:])


def _new_pin(data: bytes) -> bytes:
    if len(data) != PIN_SIZE:
        raise Refusal(Status.WRONG_LENGTH)
    if not is_pin(data):
        raise Refusal(Status.WRONG_DATA)
    return data


def _present(chip: Chip, pin: Pin, value: bytes) -> None:
    """Counts and saves the try, then compares; a right value gives the tries back."""
    if len(value) != PIN_SIZE:
        raise Refusal(Status.WRONG_LENGTH)
    if pin.blocked:
        raise Refusal(Status.BLOCKED)
    pin.tries_left -= 1
    chip.commit()
    if not crypto.same(value, pin.value):
        chip.session.forget(pin)
        raise Refusal(_TRIES | pin.tries_left)
    pin.tries_left = pin.tries_max
    chip.commit()


def _set(chip: Chip, pin: Pin, value: bytes) -> None:
    """Any change of a PIN ends its being verified."""
    chip.write(lambda: pin.replace(value))
    chip.session.forget(pin)
