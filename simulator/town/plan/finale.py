"""How every history ends: lines up, open cases shown, journals carried, everything paid.

Then the claim windows pass: what waits for a card that is never seen again, people decide.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simulator.town.plan.model import DESK, Happening, Kind, Person, Shop
from simulator.town.randomness import sub_seed

_MINUTE_MS = 60_000
_WINDOW_MS = 16 * 24 * 60 * _MINUTE_MS
"""The claim window of a town, and a day."""
FINALE = "end-"
"""How the names of its happenings begin."""


@dataclass(slots=True)
class _Clock:
    """The end of a history as it goes on: a happening a minute."""

    seed: int
    at_ms: int
    places: list[tuple[str, int]]

    def one(self, kind: Kind, word: str, **fields: Any) -> Happening:
        """The next happening."""
        self.at_ms += _MINUTE_MS
        name = FINALE + word
        seed = sub_seed(self.seed, name)
        return Happening(id=name, at_ms=self.at_ms, kind=kind, seed=seed, **fields)

    def at_every_till(self, kind: Kind, word: str) -> Iterator[Happening]:
        """The same at every till of the shops."""
        for shop, till in self.places:
            yield self.one(kind, f"{word}-{shop}-{till}", shop=shop, till=till)

    def all_report(self, word: str) -> Iterator[Happening]:
        """Every till, and the desk."""
        yield from self.at_every_till(Kind.SYNC, word)
        yield self.one(Kind.SYNC, f"{word}-{DESK}", shop=DESK)


def finale(
    seed: int, end_ms: int, shops: tuple[Shop, ...], people: tuple[Person, ...]
) -> Iterator[Happening]:
    """The last happenings, in order; ids begin with ``end-``."""
    places = [(shop.key, till) for shop in shops for till in range(shop.tills)]
    clock = _Clock(seed, end_ms, places)
    yield from _tills_tell(clock)
    yield from _town_pays(clock, end_ms, people)
    for turn in range(2):  # what one case gives back may be another shop's
        clock.at_ms += _WINDOW_MS
        yield from clock.all_report(f"window{turn}")
        yield clock.one(Kind.END_DAY, f"window{turn}-night")
        yield clock.one(Kind.DESK_WORK, f"window{turn}-cases")
    yield clock.one(Kind.SETTLE, "settle-late", until_ms=end_ms + 2 * _MINUTE_MS)
    yield clock.one(Kind.PAY, "pay-late")
    yield clock.one(Kind.GIVE_BACK, "give-back")
    yield clock.one(Kind.STATEMENTS, "statements", until_ms=end_ms + _MINUTE_MS)


def _tills_tell(clock: _Clock) -> Iterator[Happening]:
    """Lines are repaired, open cases shown, journals carried and closed."""
    yield clock.one(Kind.LINES_UP, "lines")
    yield from clock.at_every_till(Kind.CLOCK_RIGHT, "clock")
    yield from clock.at_every_till(Kind.OPEN_TILL, "open")
    yield from clock.at_every_till(Kind.SYNC, "first")
    yield from clock.at_every_till(Kind.SHOW_CARDS, "show")
    for turn in range(3):  # what one till brings may be asked for at the next
        yield from clock.all_report(f"sync{turn}")
    yield from clock.at_every_till(Kind.CLOSE_BATCH, "batch")
    yield from clock.all_report("last")
    yield from clock.at_every_till(Kind.CLOSE_TILL, "close")


def _town_pays(clock: _Clock, end_ms: int, people: tuple[Person, ...]) -> Iterator[Happening]:
    """Cases, the night work, loads that wait, and everything is paid."""
    yield clock.one(Kind.DESK_WORK, "cases")
    yield clock.one(Kind.END_DAY, "night")
    for person in people:
        yield clock.one(Kind.COLLECT, f"collect-{person.key}", person=person.key)
    yield clock.one(Kind.SETTLE, "settle", until_ms=end_ms)
    yield clock.one(Kind.PAY, "pay")
    yield clock.one(Kind.SETTLE, "settle-failed", until_ms=end_ms + _MINUTE_MS)
    yield clock.one(Kind.PAY, "pay-failed", seconds=1)
