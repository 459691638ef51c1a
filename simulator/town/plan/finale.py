"""How every history ends: lines up, open cases shown, journals carried, everything paid.

Then the claim windows pass: what waits for a card that is never seen again, people decide.
"""

from collections.abc import Iterator
from typing import Any

from simulator.town.plan.model import DESK, Happening, Kind, Person, Shop
from simulator.town.randomness import sub_seed

_MINUTE_MS = 60_000
_WINDOW_MS = 16 * 24 * 60 * _MINUTE_MS
"""The claim window of a town, and a day."""


def finale(
    seed: int, end_ms: int, shops: tuple[Shop, ...], people: tuple[Person, ...]
) -> Iterator[Happening]:
    """The last happenings, in order; ids begin with ``end-``."""
    at_ms = end_ms

    def make(kind: Kind, word: str, **fields: Any) -> Happening:
        nonlocal at_ms
        at_ms += _MINUTE_MS
        name = f"end-{word}"
        return Happening(id=name, at_ms=at_ms, kind=kind, seed=sub_seed(seed, name), **fields)

    places = [(shop.key, till) for shop in shops for till in range(shop.tills)]

    def at_every_till(kind: Kind, word: str) -> Iterator[Happening]:
        for shop, till in places:
            yield make(kind, f"{word}-{shop}-{till}", shop=shop, till=till)

    yield make(Kind.LINES_UP, "lines")
    yield from at_every_till(Kind.CLOCK_RIGHT, "clock")
    yield from at_every_till(Kind.OPEN_TILL, "open")
    yield from at_every_till(Kind.SYNC, "first")
    yield from at_every_till(Kind.SHOW_CARDS, "show")
    for turn in range(3):  # what one till brings may be asked for at the next
        yield from at_every_till(Kind.SYNC, f"sync{turn}")
        yield make(Kind.SYNC, f"sync{turn}-{DESK}", shop=DESK)
    yield from at_every_till(Kind.CLOSE_BATCH, "batch")
    yield from at_every_till(Kind.SYNC, "last")
    yield make(Kind.SYNC, f"last-{DESK}", shop=DESK)
    yield from at_every_till(Kind.CLOSE_TILL, "close")
    yield make(Kind.DESK_WORK, "cases")
    yield make(Kind.END_DAY, "night")
    for person in people:
        yield make(Kind.COLLECT, f"collect-{person.key}", person=person.key)
    yield make(Kind.SETTLE, "settle", until_ms=end_ms)
    yield make(Kind.PAY, "pay")
    yield make(Kind.SETTLE, "settle-failed", until_ms=end_ms + _MINUTE_MS)
    yield make(Kind.PAY, "pay-failed", seconds=1)
    for turn in range(2):  # what one case gives back may be another shop's
        at_ms += _WINDOW_MS
        yield from at_every_till(Kind.SYNC, f"window{turn}")
        yield make(Kind.SYNC, f"window{turn}-{DESK}", shop=DESK)
        yield make(Kind.DESK_WORK, f"window{turn}-cases")
    yield make(Kind.SETTLE, "settle-late", until_ms=end_ms + _MINUTE_MS)
    yield make(Kind.PAY, "pay-late")
    yield make(Kind.GIVE_BACK, "give-back")
    yield make(Kind.STATEMENTS, "statements", until_ms=end_ms + _MINUTE_MS)
