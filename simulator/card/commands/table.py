"""Which commands exist: class and instruction to function (PROTOCOL 2)."""

from collections.abc import Callable

from cardlib.codec.apdu import CLA_SECURE, Command, Response
from cardlib.codec.status import Status
from simulator.card.chip import Chip
from simulator.card.commands import (
    binary,
    personalisation,
    pins,
    records,
    security,
    selection,
    signature,
)
from simulator.card.refusal import Refusal
from simulator.card.secure_messaging import secured_write

Handler = Callable[[Chip, Command], Response]

CLA_PLAIN, CLA_PROPRIETARY, CLA_SECURE_PROPRIETARY = 0x00, 0x80, 0x9C
_SECURE_MESSAGING_BITS, _CHANNEL_BITS = 0x0C, 0x03
_CHANNELS_NOT_SUPPORTED = 0x6881

COMMANDS: dict[tuple[int, int], Handler] = {
    (CLA_PLAIN, 0x20): pins.verify,
    (CLA_PLAIN, 0x22): security.manage_security_environment,
    (CLA_PLAIN, 0x24): pins.change_reference_data,
    (CLA_PLAIN, 0x2A): signature.perform_security_operation,
    (CLA_PLAIN, 0x2C): pins.reset_retry_counter,
    (CLA_PLAIN, 0x44): personalisation.refuse_plain,
    (CLA_PLAIN, 0x84): security.get_challenge,
    (CLA_PLAIN, 0xA4): selection.select,
    (CLA_PLAIN, 0xB0): binary.read_binary,
    (CLA_PLAIN, 0xB2): records.refuse_plain,
    (CLA_PLAIN, 0xD6): binary.update_binary,
    (CLA_PLAIN, 0xDA): personalisation.refuse_plain,
    (CLA_PLAIN, 0xDC): records.refuse_plain,
    (CLA_PLAIN, 0xE0): personalisation.refuse_plain,
    (CLA_PROPRIETARY, 0x86): security.give_random,
    (CLA_SECURE, 0xB2): records.read_record,
}
SECURED_WRITES: dict[tuple[int, int], Handler] = {
    (CLA_SECURE, 0x2C): secured_write(pins.plan_pin_reset),
    (CLA_SECURE, 0x44): secured_write(personalisation.plan_activate_file),
    (CLA_SECURE, 0xD6): secured_write(binary.plan_update_binary),
    (CLA_SECURE, 0xDA): secured_write(personalisation.plan_put_data),
    (CLA_SECURE, 0xDC): secured_write(records.plan_update_record),
    (CLA_SECURE, 0xE0): secured_write(personalisation.plan_create_file),
    (CLA_SECURE_PROPRIETARY, 0x24): secured_write(personalisation.plan_change_key_data),
}
"""They take the challenge away in every case, even when their APDU is malformed."""

_ALL = COMMANDS | SECURED_WRITES
_INSTRUCTIONS = {ins for _, ins in _ALL}


def handler(cla: int, ins: int) -> Handler:
    """The command's function; refuses one that does not exist here."""
    known = _ALL.get((cla, ins))
    if known:
        return known
    if ins not in _INSTRUCTIONS:
        raise Refusal(Status.INS_NOT_SUPPORTED)
    if cla & _SECURE_MESSAGING_BITS:
        raise Refusal(Status.SM_NOT_SUPPORTED)
    raise Refusal(_CHANNELS_NOT_SUPPORTED if cla & _CHANNEL_BITS else Status.CLA_NOT_SUPPORTED)
