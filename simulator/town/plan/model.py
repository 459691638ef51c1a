"""The words of a plan: who lives in a town, its shops, what happens when, and what goes wrong.

Everything is frozen and says who and when, never how it ends: that is for the product. A
happening has a stable id and a sub-seed of its own, so one that is taken out
(:meth:`Plan.without`) changes no other.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from simulator.card.personal import Holder

FOOD, HYGIENE, MEDICINES = 0, 1, 2
"""Category bits of the town."""
DESK = "desk"
"""The town hall's own station, as a shop of a happening."""


class Kind(StrEnum):
    """What can happen. The comment says which fields of :class:`Happening` it uses."""

    ISSUE_CARD = "issue_card"
    """A person gets a purse on a card at the desk: person."""
    ORDER_LOAD = "order_load"
    """The official awards and orders a load: person, cents, programme."""
    COLLECT = "collect"
    """The person fetches the loads that wait: person, shop and till, or the desk without."""
    OPEN_TILL = "open_till"
    """A shop switches a till on in the morning: shop, till."""
    CLOSE_TILL = "close_till"
    """A shop switches a till off: shop, till."""
    BUY = "buy"
    """A person buys: person, shop, till, basket, pin_slips, forgets."""
    VOID = "void"
    """A person gives the last purchase back at the same till: person, shop, till."""
    SYNC = "sync"
    """A round of a till's agent, if the line is up: shop, till."""
    RESET_PIN = "reset_pin"
    """A person without a working PIN gets a new one at the desk: person."""
    LOSE_CARD = "lose_card"
    """A person cannot find the card any more: person."""
    REPORT_LOSS = "report_loss"
    """The person tells the desk, which blocks the purse: person."""
    FIND_CARD = "find_card"
    """The person finds the card; if no new one was made, the desk unblocks it: person."""
    REPLACE_CARD = "replace_card"
    """The desk makes a new card for a blocked one, and orders its money onto it: person."""
    SETTLE = "settle"
    """The official settles everything before an instant and orders the payments: until_ms."""
    DESK_WORK = "desk_work"
    """The official closes cases whose time has come, and orders refunds."""
    END_DAY = "end_day"
    """The backend's night work: wallets expire, rests are given up."""
    PAY = "pay"
    """The bank carries out payment orders that wait, and says so; some fail."""
    ANNOUNCE_KEYS = "announce_keys"
    """The operator announces the next key set."""
    BEGIN_KEYS = "begin_keys"
    """Once all tills hold the key set, cards begin to change."""
    RENEW_CARD = "renew_card"
    """A person's card goes to the newest key set: person, shop and till, or the desk."""
    CLOCK_JUMP = "clock_jump"
    """A till's wall clock is set wrong: shop, till, seconds."""
    CLOCK_RIGHT = "clock_right"
    """Somebody sets a till's clock right: shop, till."""
    BACKUP_TILL = "backup_till"
    """A till's disk is copied: shop, till."""
    RESTORE_TILL = "restore_till"
    """A till's disk is put back as it was copied: shop, till."""
    BACKUP_BACKEND = "backup_backend"
    """The backend's database is copied."""
    RESTORE_BACKEND = "restore_backend"
    """The backend's database is put back as it was copied."""
    STEAL_TILL = "steal_till"
    """A till is stolen, and recorded as lost: shop, till."""
    SHOW_CARDS = "show_cards"
    """At the end: every card with an open case goes to the till that waits for it: shop, till."""
    LINES_UP = "lines_up"
    """At the end: every line is repaired."""


class AccidentKind(StrEnum):
    """What can go wrong within a happening; ``at`` counts what the comment says."""

    TEAR_BEFORE = "tear_before"
    """The card is pulled out before command ``at`` reaches it."""
    TEAR_AFTER = "tear_after"
    """The card is pulled out after command ``at``, before its answer arrives."""
    HALF_WRITTEN = "half_written"
    """Power fails in write ``at``; ``variant`` is the ``chip.Tear`` that it leaves."""
    MUTE = "mute"
    """The card acts on command ``at`` and says nothing from then on."""
    CARD_RESET = "card_reset"
    """The card is reset before command ``at``."""
    KILL_TILL = "kill_till"
    """The till's process dies at its durable step ``at``; odd ``variant``: after it."""
    KILL_AGENT = "kill_agent"
    """The agent's process dies at its durable step ``at``; odd ``variant``: after it."""
    KILL_BACKEND = "kill_backend"
    """The backend dies at its commit ``at``; odd ``variant``: after it."""
    DISK_FULL = "disk_full"
    """The till's disk is full during this happening."""
    LINE_FAULT = "line_fault"
    """Message ``at`` on the line meets fault ``variant``."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A merchant with tills. ``hours``: minutes after midnight; ``closed``: weekdays.

    ``down``: when its line is dead, from and to in milliseconds since 1970.
    """

    key: str
    name: str
    iban: str
    tills: int
    hours: tuple[tuple[int, int], ...]
    closed: tuple[int, ...]
    sells: tuple[int, ...]
    down: tuple[tuple[int, int], ...] = ()

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
