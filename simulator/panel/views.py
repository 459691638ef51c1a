"""What the panel shows of shelf, slots and a card: values, made outside the screen."""

from dataclasses import dataclass
from typing import Any

from cardlib.text import catalogue
from cardlib.wire.money import Money
from simulator import description
from simulator.card.filesystem import Directory, Memory
from simulator.card_keys import CardKeys
from simulator.module_card.memory import ModuleMemory
from simulator.shelf import MODULE, ShelfCard
from simulator.slot import Slot
from simulator.wallets import newest_spend, wallets

_SERVICES = 0x1200


@dataclass(frozen=True, slots=True)
class Wording:
    """Looks labels up in the catalogue's table ``[panel]``."""

    lang: str

    def __call__(self, key: str, **facts: object) -> str:
        """A label of the panel."""
        return catalogue.label("panel", key, self.lang, **facts)

    def money(self, amount: Money) -> str:
        """With its currency."""
        return catalogue.money(amount, self.lang)

    def mask(self, name: str) -> str:
        """What a kind of card is; empty for one that nobody has worded."""
        about = catalogue.label("mask", name, self.lang)
        return "" if about == name else about

    def explain(self, code: str, **facts: object) -> str:
        """The sentence of a code."""
        return catalogue.sentence(code, self.lang, **facts)


@dataclass(frozen=True, slots=True)
class FaultView:
    """One fault armed: its name, and whether it has come to the command it waited for."""

    name: str
    struck: bool


@dataclass(frozen=True, slots=True)
class SlotView:
    """One slot; ``address`` is where its virtual reader listens, empty for none."""

    number: int
    card: str
    address: str
    faults: tuple[FaultView, ...]

    @classmethod
    def of(cls, slot: Slot) -> "SlotView":
        """How a slot is now."""
        address = f"{slot.address[0]}:{slot.address[1]}" if slot.address else ""
        faults = tuple(FaultView(fault.text, fault.waits and fault.struck) for fault in slot.faults)
        return cls(slot.number, slot.card_name or "", address, faults)


@dataclass(frozen=True, slots=True)
class WalletView:
    """One wallet of a purse, in money."""

    slot: int
    programme: int
    balance: Money
    granted: Money
    valid_to: str


@dataclass(frozen=True, slots=True)
class PurseView:
    """One purse; ``wallets`` is None where the key of its records is not known."""

    number: int
    purse: str
    issuer: str
    ctr: int
    tries_left: str
    wallets: tuple[WalletView, ...] | None


@dataclass(frozen=True, slots=True)
class CardView:
    """A card as whoever holds its keys sees it; ``facts`` is ``sim show``'s object.

    Of a module card there is ``module`` instead.
    """

    name: str
    mask: str
    serial: str
    tries_left: str
    purses: tuple[PurseView, ...]
    facts: dict[str, Any]
    module: ModuleMemory | None = None


def card_view(card: ShelfCard, memory: Memory | ModuleMemory, keys: CardKeys) -> CardView:
    """Everything to be shown of one card."""
    if isinstance(memory, ModuleMemory):
        return CardView(card.name, MODULE, memory.serial, "", (), {}, memory)
    services = memory.find((_SERVICES,))
    found = services.directories if services else []
    purses = [_purse(number, item, keys) for number, item in enumerate(found, 1)]
    return CardView(
        card.name,
        memory.mask,
        memory.serial,
        _tries(memory.mf),
        tuple(purse for purse in purses if purse is not None),
        description.as_object(memory),
    )


def _purse(number: int, directory: Directory, keys: CardKeys) -> PurseView | None:
    known = keys.of_purse(directory)
    facts = description.purse_object(directory)
    if known is None or facts is None:
        return None
    spends = facts["spends"]
    ctr = next((spend["ctr"] for spend in spends if spend["type"] != "torn"), 0)
    shown = None
    if known.record is not None:
        newest = newest_spend(directory, known.record)
        ctr = newest.ctr if newest else ctr
        shown = tuple(
            WalletView(w.slot, w.programme, w.balance, w.granted, w.valid_to.isoformat())
            for w in wallets(directory, known.record)
        )
    return PurseView(number, facts["purse"], facts["issuer"], ctr, _tries(directory), shown)


def _tries(directory: Directory) -> str:
    """``3 10``: tries left of each PIN and PUK, in the order of their ids."""
    return "/".join(str(directory.pins[ref].tries_left) for ref in sorted(directory.pins))
