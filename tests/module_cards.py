"""Module cards for tests: ready for service, without a backend."""

from dataclasses import dataclass

from cardlib.connection import CardConnection
from cardlib.drivers.card_module import CardModule
from cardlib.errors import CardGoneError, CardMissingError
from cardlib.ports import Randomness
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.enrolment import DebitMaster
from simulator.connection import InProcessConnection
from simulator.module_card.card import ModuleCard
from simulator.module_card.factory import make_module
from simulator.module_card.memory import Allowance, ModuleMemory

PIN, PUK = "module-pin", "module-puk"
MANY = Allowance(1, b"", 1000, 1_000_000_00, 0)


def ready_memory(
    key: SigningKey, terminal: int, operator: SigningKey, *masters: DebitMaster,
    randomness: Randomness, allowance: Allowance = MANY,
) -> ModuleMemory:  # fmt: skip
    """A module in service: its signing key is ``key``, which no real module lets anybody choose."""
    memory = make_module(randomness, PIN, PUK)
    memory.signing_seed = key.seed
    memory.operator, memory.terminal = operator.public.raw, terminal
    memory.masters = {(item.issuer, item.key_set): item.key for item in masters}
    memory.allowance = allowance
    return memory


@dataclass
class Slot:
    """The second slot: a module that can be pulled out, before or after a command acts.

    ``pull_at``: at which command from now on (1 is the next), ``acts`` whether it reaches
    the card. The module stays away until :meth:`put_back`.
    """

    card: ModuleCard
    pull_at: int = 0
    acts: bool = False
    away: bool = False
    commands: int = 0
    opened: int = 0
    closed: int = 0

    def connect(self) -> CardConnection:
        if self.away:
            raise CardMissingError
        self.opened += 1
        self.card.power_off()
        self.card.power_on()
        return SlotConnection(self)

    def put_back(self) -> None:
        self.away, self.pull_at = False, 0

    def transmit(self, apdu: bytes) -> bytes:
        self.commands += 1
        if self.away:
            raise CardGoneError
        if self.pull_at:
            self.pull_at -= 1
            if not self.pull_at:
                self.away = True
                if self.acts:
                    self.card.transmit(apdu)
                self.card.power_off()
                raise CardGoneError
        return InProcessConnection(self.card).transmit(apdu)


@dataclass
class SlotConnection:
    """The connection that a reader gives; dead once the module was pulled."""

    slot: Slot

    @property
    def atr(self) -> bytes:
        return self.slot.card.atr

    def transmit(self, apdu: bytes) -> bytes:
        return self.slot.transmit(apdu)

    def reset(self) -> None:
        self.slot.card.reset()

    def close(self) -> None:
        self.slot.closed += 1
        if not self.slot.away:
            self.slot.card.reset()


def card_module(card: ModuleCard, key: SigningKey, pin: str = PIN) -> CardModule:
    """A driver for a module in a slot of its own."""
    return CardModule(Slot(card).connect, pin, key.public)
