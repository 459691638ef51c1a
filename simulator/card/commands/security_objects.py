"""PUT DATA (0C DA) and CHANGE KEY DATA (9C 24): keys and PINs of a purse, enciphered.

PUT DATA fills an unfinished purse, CHANGE KEY DATA gives an operational one another key.
What does not follow the card profile is refused with 6A80.
"""

from cardlib.codec.apdu import Command
from cardlib.codec.files import KeyId
from cardlib.codec.status import Status
from simulator.card import crypto
from simulator.card.access import Pin, is_pin
from simulator.card.chip import Chip
from simulator.card.filesystem import Directory, LifeCycle
from simulator.card.purse_profile import (
    PIN_ID,
    PIN_TRIES,
    PUK_ID,
    PUK_TRIES,
    PURSE_KEYS,
    require_good_key,
    unfinished,
)
from simulator.card.refusal import Refusal
from simulator.card.secure_messaging import (
    TAG_CRYPTOGRAM,
    SecuredWrite,
    content_objects,
    keys_for,
)
from simulator.card.traits import PurseKind

_OCI = 0x016E
_REFERENCE, _TRIES, _BODY = 0x83, 0x85, 0x8F
_KEY_TRIES = 0xFF


def plan_put_data(chip: Chip, command: Command) -> SecuredWrite:
    """One key or PIN of an unfinished purse, enciphered; again replaces it."""
    if command.p1 << 8 | command.p2 != _OCI:
        raise Refusal(Status.WRONG_P1P2)
    purse, keys = unfinished(chip), PURSE_KEYS[chip.traits.purse]

    def write(content: bytes) -> None:
        chip.write(lambda: _install(purse, content, keys))

    def check(content: bytes) -> None:
        reference, body = _security_object(content, keys)
        if reference in keys:
            require_good_key(purse, body)

    return SecuredWrite(keys_for(chip, KeyId.TRANSPORT_COMMAND), TAG_CRYPTOGRAM, write, check)


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
    objects = content_objects(content)
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
        require_good_key(purse, content)

    return SecuredWrite(
        keys_for(chip, KeyId.ADMIN_COMMAND),
        TAG_CRYPTOGRAM,
        write=lambda content: chip.write(lambda: change(content)),
        check=check,
    )
