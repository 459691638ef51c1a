"""The words of a plan: who lives in a town, its shops, what happens when, and what goes wrong.

Everything is frozen and says who and when, never how it ends: that is for the product. A
happening has a stable id and a sub-seed of its own, so one that is taken out
(:meth:`Plan.without`) changes no other.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from cardlib.codec.purse import Suite
from simulator.card.personal import Holder
from simulator.town.plan.kinds import AccidentKind, Kind, Mood

__all__ = [
    "DESK",
    "FOOD",
    "HYGIENE",
    "MEDICINES",
    "Accident",
    "AccidentKind",
    "Happening",
    "Kind",
    "Mood",
    "Person",
    "Plan",
    "Shop",
    "Size",
]

FOOD, HYGIENE, MEDICINES = 0, 1, 2
"""Category bits of the town."""
DESK = "desk"
"""The town hall's own station, as a shop of a happening."""


@dataclass(frozen=True, slots=True)
class Accident:
    """Something that goes wrong; ``id`` is the happening's and a word."""

    id: str
    kind: AccidentKind
    at: int = 1
    variant: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happens; fields that its kind does not use are empty."""

    id: str
    at_ms: int
    kind: Kind
    seed: int
    person: str = ""
    shop: str = ""
    till: int = 0
    basket: tuple[tuple[int, int], ...] = ()
    """Category bit and cents, each category once."""
    cents: int = 0
    programme: int = 0
    pin_slips: int = 0
    """How often the PIN is typed wrong before it is typed right."""
    forgets: bool = False
    """The person does not remember the PIN at all today."""
    mood: Mood = Mood.PATIENT
    other: str = ""
    """Who stands behind the person, with a card of the town as well."""
    seconds: int = 0
    until_ms: int = 0
    accidents: tuple[Accident, ...] = ()

    @property
    def place(self) -> tuple[str, int]:
        """Shop and till."""
        return self.shop, self.till


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with a card. ``memory`` is how well the PIN is remembered, of 1."""

    key: str
    holder: Holder
    mask: str
    household: int
    favourite: str
    second: str
    shopping_day: int
    """Weekday of the weekly shopping, Monday is 0."""
    trips_a_week: float
    """Small trips besides."""
    memory: float
    suite: Suite = Suite.AES_128
    """Of the card's keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A merchant with tills. ``hours``: minutes after midnight; ``closed``: weekdays.

    ``drift_ppm``: by how many millionths the clock of each till runs fast; ``down``: when its
    line is dead, from and to in milliseconds since 1970.
    """

    key: str
    name: str
    iban: str
    tills: int
    hours: tuple[tuple[int, int], ...]
    closed: tuple[int, ...]
    sells: tuple[int, ...]
    down: tuple[tuple[int, int], ...] = ()
    drift_ppm: tuple[int, ...] = ()

    def drift(self, till: int) -> int:
        """Of one till."""
        return self.drift_ppm[till] if till < len(self.drift_ppm) else 0

    def online(self, at_ms: int) -> bool:
        """Whether the line is up."""
        return not any(start <= at_ms < end for start, end in self.down)


@dataclass(frozen=True, slots=True)
class Size:
    """How big a town is; ``trips`` multiplies everybody's small trips."""

    people: int = 12
    shops: int = 3
    trips: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole history before it is played; ``happenings`` are in order of time."""

    seed: int
    days: int
    start_ms: int
    end_ms: int
    people: tuple[Person, ...]
    shops: tuple[Shop, ...]
    happenings: tuple[Happening, ...]

    def without(self, gone: Collection[str]) -> "Plan":
        """The same without the happenings and accidents of these ids."""
        kept = (
            replace(item, accidents=tuple(one for one in item.accidents if one.id not in gone))
            for item in self.happenings
            if item.id not in gone
        )
        return replace(self, happenings=tuple(kept))

    def only(self, wanted: Collection[str]) -> "Plan":
        """The happenings of these ids alone, with all their accidents."""
        kept = tuple(item for item in self.happenings if item.id in wanted)
        return replace(self, happenings=kept)

    @property
    def accidents(self) -> tuple[Accident, ...]:
        """All of them, in order."""
        return tuple(one for item in self.happenings for one in item.accidents)

    def count(self, kind: Kind) -> int:
        """How many happenings there are of a kind."""
        return sum(item.kind is kind for item in self.happenings)
