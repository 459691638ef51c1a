"""Which commands exist: class and instruction to function (PROTOCOL 2).

A chip whose purse is of another kind has a command set of its own, made of the profile's
with :meth:`CommandSet.extended` and entered in ``BY_PURSE``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cardlib.codec.apdu import CLA_SECURE, Command, Response
from cardlib.codec.status import Status
from simulator.card.chip import Chip
from simulator.card.commands import (
    applet,
    binary,
    creation,
    internal_authenticate,
    listing,
    pins,
    records,
    security,
    security_objects,
    selection,
    signature,
)
from simulator.card.refusal import Refusal
from simulator.card.secure_messaging import secured_write
from simulator.card.traits import PurseKind, Traits

Handler = Callable[[Chip, Command], Response]
Place = tuple[int, int]
"""CLA and INS."""

CLA_PLAIN, CLA_PROPRIETARY, CLA_SECURE_PROPRIETARY = 0x00, 0x80, 0x9C
CLA_MAKER = 0xB0
_SECURE_MESSAGING_BITS, _CHANNEL_BITS = 0x0C, 0x03
_CHANNELS_NOT_SUPPORTED = 0x6881

COMMANDS: Mapping[Place, Handler] = {
    (CLA_PLAIN, 0x20): pins.verify,
    (CLA_PLAIN, 0x22): security.manage_security_environment,
    (CLA_PLAIN, 0x24): pins.change_reference_data,
    (CLA_PLAIN, 0x2A): signature.perform_security_operation,
    (CLA_PLAIN, 0x2C): pins.reset_retry_counter,
    (CLA_PLAIN, 0x44): creation.refuse_plain,
    (CLA_PLAIN, 0x84): security.get_challenge,
    (CLA_PLAIN, 0xA4): selection.select,
    (CLA_PLAIN, 0xB0): binary.read_binary,
    (CLA_PLAIN, 0xB2): records.refuse_plain,
    (CLA_PLAIN, 0xD6): binary.update_binary,
    (CLA_PLAIN, 0xDA): creation.refuse_plain,
    (CLA_PLAIN, 0xDC): records.refuse_plain,
    (CLA_PLAIN, 0xE0): creation.refuse_plain,
    (CLA_PROPRIETARY, 0x16): listing.directory,
    (CLA_PROPRIETARY, 0x86): security.give_random,
    (CLA_MAKER, 0xFC): listing.scan,
    (CLA_SECURE, 0xB2): records.read_record,
}
SECURED_WRITES: Mapping[Place, Handler] = {
    (CLA_SECURE, 0x2C): secured_write(pins.plan_pin_reset),
    (CLA_SECURE, 0x44): secured_write(creation.plan_activate_file),
    (CLA_SECURE, 0xD6): secured_write(binary.plan_update_binary),
    (CLA_SECURE, 0xDA): secured_write(security_objects.plan_put_data),
    (CLA_SECURE, 0xDC): secured_write(records.plan_update_record),
    (CLA_SECURE, 0xE0): secured_write(creation.plan_create_file),
    (CLA_SECURE_PROPRIETARY, 0x24): secured_write(security_objects.plan_change_key_data),
}
"""They take the challenge away in every case, even when their APDU is malformed."""


@dataclass(frozen=True, slots=True)
class CommandSet:
    """The commands of one kind of chip, each by its class and instruction."""

    plain: Mapping[Place, Handler]
    secured_writes: Mapping[Place, Handler]

    def extended(
        self,
        plain: Mapping[Place, Handler] | None = None,
        secured_writes: Mapping[Place, Handler] | None = None,
    ) -> "CommandSet":
        """This set with more commands, or with others in place of its own."""
        return CommandSet(
            {**self.plain, **(plain or {})}, {**self.secured_writes, **(secured_writes or {})}
        )

    def handler(self, cla: int, ins: int) -> Handler:
        """The command's function; refuses one that does not exist here."""
        known = self.secured_writes.get((cla, ins)) or self.plain.get((cla, ins))
        if known:
            return known
        if not any(ins == other for _, other in (*self.plain, *self.secured_writes)):
            raise Refusal(Status.INS_NOT_SUPPORTED)
        if cla & _SECURE_MESSAGING_BITS:
            raise Refusal(Status.SM_NOT_SUPPORTED)
        raise Refusal(_CHANNELS_NOT_SUPPORTED if cla & _CHANNEL_BITS else Status.CLA_NOT_SUPPORTED)


PROFILE = CommandSet(COMMANDS, SECURED_WRITES)
APPLET = PROFILE.extended(
    plain={(CLA_PROPRIETARY, 0x50): applet.initialise_for_debit},
    secured_writes={
        (CLA_PROPRIETARY, 0x54): applet.debit,
        (CLA_SECURE, 0xDC): secured_write(applet.plan_update_record),
    },
)
LEGACY = PROFILE.extended(
    plain={
        (CLA_PLAIN, 0x22): internal_authenticate.manage_security_environment,
        (CLA_PLAIN, 0x88): internal_authenticate.internal_authenticate,
        (CLA_PLAIN, 0xB0): internal_authenticate.forgetful(binary.read_binary),
        (CLA_SECURE, 0xB2): internal_authenticate.forgetful(records.read_record),
    }
)
BY_PURSE: Mapping[PurseKind, CommandSet] = {
    PurseKind.FILE: PROFILE,
    PurseKind.APPLET: APPLET,
    PurseKind.LEGACY: LEGACY,
}


def commands_of(traits: Traits) -> CommandSet:
    """What a chip with these traits can do."""
    return BY_PURSE[traits.purse]
