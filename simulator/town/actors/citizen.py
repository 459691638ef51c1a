"""A citizen: a card kept in memory, the PIN as remembered, and what became of both."""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Self

from cardlib.codec.files import DF_BUONO_FIRST, DF_SERVICES, EF_SPEND
from cardlib.codec.purse import Suite
from cardlib.wire.ids import PurseId
from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.filesystem import Memory
from simulator.card.masks import CRS_STINCARD, GENERIC_T0, WHITE, make_card, random_transport_keys
from simulator.connection import InProcessConnection
from simulator.town.plan.model import Person
from simulator.town.randomness import SeededRandomness

_DF_BUONO = (DF_SERVICES, DF_BUONO_FIRST)
_SERVICES = (CRS_STINCARD, GENERIC_T0)
_WRONG_PIN = "00000"


@dataclass(slots=True)
class Citizen:
    """Somebody with a card. ``pin`` is the letter's; None before there is a purse."""

    person: Person
    card: VirtualCard
    serial: str
    purse: PurseId | None = None
    pin: str | None = None
    lost: bool = False
    needs_pin: bool = False
    """Whether the card has refused the PIN for good: the desk must set a new one."""
    needs_renewal: bool = False
    """Whether a change of the card's keys was broken off: the desk must finish it."""
    suite: Suite = Suite.AES_128
    """Of the keys of the card in hand."""
    in_stock: bool = False
    """Whether the town has taken the card into its stock."""
    waiting: int = 0
    """Loads that the town has announced and nobody has fetched yet."""
    blocked: bool = False
    """Whether the desk knows that the card is lost."""
    old_purse: PurseId | None = None
    """The purse of a lost card whose money waits to be ordered onto the new one."""
    rest_due: bool = False
    """Whether a part of a lost card's money is still kept back for late sales."""
    last_bought: tuple[str, int] | None = None
    """Shop and till of the last purchase, for who changes her mind."""
    history: list[bytes] = field(default_factory=list)
    """Every SPEND record that the chip took, oldest first."""

    @classmethod
    def born(cls, number: int, person: Person, seed: int, randomness: SeededRandomness) -> Self:
        """With a card from the factory."""
        if person.mask in _SERVICES:
            memory = image.decode(_services_card(number, person))
        else:
            memory = _white_card(person, person.mask, f"{seed}:card:{person.key}")
        citizen = cls(
            person,
            VirtualCard(memory, randomness, without_image=True),
            memory.serial,
            suite=person.suite,
        )
        citizen.card.watch(citizen.look)
        return citizen

    def take_new_card(self, seed: int, number: int, randomness: SeededRandomness) -> None:
        """The lost card is given up for a white one of the town; it holds no purse yet."""
        memory = _white_card(self.person, WHITE, f"{seed}:card:{self.person.key}:{number}")
        self.card = VirtualCard(memory, randomness, without_image=True)
        self.card.watch(self.look)
        self.serial, self.old_purse, self.history = memory.serial, self.purse, []
        self.suite = Suite.AES_128
        self.purse = self.pin = self.last_bought = None
        self.lost = self.blocked = self.in_stock = self.needs_pin = self.needs_renewal = False

    def line(self) -> InProcessConnection:
        """The card in a good reader."""
        return InProcessConnection(self.card)

    def with_pin(self, pin: str) -> Self:
        """Somebody else with this card in hand, who types ``pin``."""
        return replace(self, pin=pin)

    def wrong_pin(self) -> str:
        """Something else than the PIN."""
        return _WRONG_PIN

    def look(self, memory: Memory) -> None:
        """Notes the newest record when it is another one than before."""
        directory = memory.find(_DF_BUONO)
        file = directory.file_by_sfi(EF_SPEND.sfi) if directory else None
        if file is None:
            return
        newest = bytes(file.records[0])
        if any(newest) and (not self.history or newest != self.history[-1]):
            self.history.append(newest)


def _white_card(person: Person, mask: str, seed: str) -> Memory:
    own = SeededRandomness(seed)
    return make_card(mask, own, person.holder, random_transport_keys(own))


@lru_cache(maxsize=64)
def _services_card(number: int, person: Person) -> bytes:
    """A CRS; its RSA key takes a tenth of a second, so towns share them."""
    own = SeededRandomness(f"crs:{number}")
    return image.encode(make_card(person.mask, own, person.holder, random_transport_keys(own)))
