"""Which security module a till has: software from its key file, or a card in a second slot.

The card is named by its public key, kept under the till's passphrase with its PIN; another
module of the same terminal does not exist. Where it is plugged in may change.
"""

from dataclasses import dataclass

from cardlib.connection import CardConnection
from cardlib.connections import open_connection
from cardlib.drivers.card_module import CardModule, read_public_key
from cardlib.errors import AuthenticityError
from cardlib.keys.module import SecurityModule
from cardlib.keys.soft_module import SoftModule
from cardlib.ports import Randomness
from cardlib.wire.enrolment import EnrolmentAnswer
from terminal.errors import TillError
from terminal.till_keys import BoundModule, TillKeys


@dataclass(frozen=True, slots=True)
class ModuleSlot:
    """Where a module card is: part of a reader's name, or a virtual card's image."""

    reader: str = ""
    image: str = ""

    def __bool__(self) -> bool:
        return bool(self.reader or self.image)

    def connect(self) -> CardConnection:
        """The module's connection; TillError ``MODULE_PLACE`` when nobody has said where it is."""
        if not self:
            raise TillError("MODULE_PLACE")
        return open_connection(reader=self.reader or None, image=self.image or None)


def module_of(keys: TillKeys, slot: ModuleSlot, randomness: Randomness) -> SecurityModule:
    """The till's module; a card is looked for when it is first needed."""
    if keys.card is None:
        return SoftModule(keys.ring, randomness)
    return bound_module(keys.card, slot)


def bound_module(card: BoundModule, slot: ModuleSlot) -> CardModule:
    """The driver for the one card of a till."""
    return CardModule(slot.connect, card.pin, card.public_key)


def bind(slot: ModuleSlot, pin: str) -> BoundModule:
    """The module in ``slot``, its PIN tried; ModuleGoneError, ModuleRefusedError."""
    card = BoundModule(read_public_key(slot.connect), pin)
    bound_module(card, slot).check_pin()
    return card


def install_module(card: BoundModule, slot: ModuleSlot, answer: EnrolmentAnswer) -> None:
    """Hands certificate and keys to the module; twice does no harm.

    AuthenticityError ``ENROLMENT_SEAL`` when the operator sent no keys for a module card.
    """
    if not answer.module_order:
        raise AuthenticityError("ENROLMENT_SEAL")
    module = bound_module(card, slot)
    module.install(answer.operator_key, answer.certificate)
    module.obey(answer.module_order)
