"""Bad days of whole devices: wrong clocks, lost cards, a stolen till, restored backups, new keys.

Only where a plan has faults. Each is a happening like any other, with an id of its own.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from simulator.town.plan.calendar import GROCERIES, instant_ms
from simulator.town.plan.model import DESK, Happening, Kind, Person, Shop
from simulator.town.randomness import sub_seed

_NIGHT, _NOON, _EVENING = 3 * 60, 13 * 60, 20 * 60
_HOUR, _DAY = 3600, 86_400
_JUMPS = (
    -3650 * _DAY, -400 * _DAY, -40 * _DAY, -26 * _HOUR, -2 * _HOUR, -300, 300, 2 * _HOUR,
    26 * _HOUR, 30 * _DAY,
)  # fmt: skip
"""Seconds; with them a dead battery, after which it is 1970."""
_HALL_JUMPS = (-90, -20, -2, 2, 60)
_WRONG = 0.2
"""The share of fault density that is a clock's chance to go wrong on one day."""
_QUIET_DAYS = range(20, 28)
"""Days of a month in which no money moves at the town hall: a backup can be put back."""
_LOSSES = 0.02
"""The share of fault density that is a person's chance to lose the card on one day."""
_CLAIM_DAYS = 19
"""A theft lies so long before the end, if it can: then the claim window is over by then."""
_MONTH = 28
"""In so many days one till is put back to an older copy."""
_LONG = 12
"""Days that a history must have for a theft, a restored till and new keys."""


@dataclass(frozen=True, slots=True)
class BadDays:
    """What befalls one town; ``density`` is the plan's share of faults."""

    seed: int
    start: date
    days: int
    people: tuple[Person, ...]
    shops: tuple[Shop, ...]
    density: float

    def happenings(self) -> Iterator[Happening]:
        """Everything, in no order."""
        if not self.density:
            return
        for number in range(1, self.days):
            yield from self._clocks(number)
            yield from (one for one in self._cards(number) if one.at_ms < self._over_ms)
            if (self.start + timedelta(days=number)).day in _QUIET_DAYS:
                yield from self._backend(number)
        if self.days >= _LONG:
            yield from self._stolen_till()
            yield from self._restored_till()
            yield from self._new_keys()
            yield from self._found_card()

    @property
    def _over_ms(self) -> int:
        return instant_ms(self.start + timedelta(days=self.days), 0)

    def _clocks(self, number: int) -> Iterator[Happening]:
        for shop, till in _places(self.shops):
            rng = random.Random(sub_seed(self.seed, "clock", number, shop, till))
            if rng.random() < self.density * _WRONG:
                stem = f"d{number:03}-{shop}-t{till}"
                minute = rng.randrange(0, _EVENING)
                noon_1970 = _DAY // 2 - self._at_ms(number, minute) // 1000
                yield self._make(stem, Kind.CLOCK_JUMP, number, minute, shop=shop, till=till,
                                 seconds=rng.choice((*_JUMPS, noon_1970)))  # fmt: skip
                yield self._make(stem, Kind.CLOCK_RIGHT, number, minute + rng.randrange(60, 600),
                                 shop=shop, till=till)  # fmt: skip

        rng = random.Random(sub_seed(self.seed, "clock", number, "hall"))
        if rng.random() < self.density * _WRONG:
            stem, minute = f"d{number:03}-hall", rng.randrange(0, _EVENING)
            seconds = rng.choice(_HALL_JUMPS)
            yield self._make(stem, Kind.HALL_CLOCK, number, minute, seconds=seconds)
            minute += rng.randrange(5, 300)
            yield self._make(f"{stem}-right", Kind.HALL_CLOCK, number, minute)

    def _cards(self, number: int) -> Iterator[Happening]:
        for person in self.people:
            rng = random.Random(sub_seed(self.seed, "loss", number, person.key))
            if rng.random() < self.density * _LOSSES:
                yield from self._lost_card(number, person, rng)

    def _keeps_card(self, person: Person, number: int) -> bool:
        """Whether the person loses no card from a day on."""
        draws = (
            random.Random(sub_seed(self.seed, "loss", later, person.key)).random()
            for later in range(number, self.days)
        )
        return all(draw >= self.density * _LOSSES for draw in draws)

    def _lost_card(self, number: int, person: Person, rng: random.Random) -> Iterator[Happening]:
        """Most tell the desk within days and get a new card; some find theirs, now or never."""
        stem, key = f"d{number:03}-{person.key}", person.key
        yield self._make(stem, Kind.LOSE_CARD, number, rng.randrange(8 * 60, _EVENING), person=key)
        told, found = number + rng.randrange(1, 4), number + rng.randrange(1, 7)
        if rng.random() < 0.9:
            yield self._make(stem, Kind.REPORT_LOSS, told, _NOON - rng.randrange(200), person=key)
            for turn, later in enumerate((told + rng.randrange(1, 3), told + 3)):
                yield self._make(f"{stem}-{turn}", Kind.REPLACE_CARD, later,
                                 _NOON - rng.randrange(200), person=key)  # fmt: skip
        if rng.random() < 0.4:
            yield self._make(stem, Kind.FIND_CARD, found, rng.randrange(_NOON, _EVENING),
                             person=key)  # fmt: skip

    def _backend(self, number: int) -> Iterator[Happening]:
        rng = random.Random(sub_seed(self.seed, "backend", number))
        if rng.random() < self.density * 0.5:
            stem = f"d{number:03}-hall"
            copied = rng.randrange(9 * 60, _NOON)
            yield self._make(stem, Kind.BACKUP_BACKEND, number, copied)
            yield self._make(stem, Kind.DESK_WORK, number, copied + 1)
            back = min(number + rng.choice((0, 0, 1, 2)), self.days - 1)
            if (self.start + timedelta(days=back)).day not in _QUIET_DAYS:
                back = number
            yield self._make(stem, Kind.RESTORE_BACKEND, back, rng.randrange(_NOON, _EVENING))
            yield from self._forgotten(stem, number)
            for later in range(back + 1, min(back + 4, self.days)):
                yield self._make(f"{stem}-{later:03}", Kind.SYNC, later, 5, shop=DESK)

    def _forgotten(self, stem: str, number: int) -> Iterator[Happening]:
        """Between the copy and its return somebody is given money, and fetches it perhaps.

        Others lose their card, find it, or do not want what waits.
        """
        rng = random.Random(sub_seed(self.seed, "forgotten", number))
        careful = [one for one in self.people if self._keeps_card(one, number)]
        if not careful:  # what only a lost card knows would never come back
            return
        person = rng.choice(careful).key
        yield self._make(stem, Kind.ORDER_LOAD, number, _NOON - 2, person=person,
                         cents=1_500 + rng.randrange(100), programme=GROCERIES)  # fmt: skip
        chance = rng.random()
        if chance < 0.6:
            yield self._make(stem, Kind.COLLECT, number, _NOON - 1, person=person)
        elif chance < 0.8:
            yield self._make(stem, Kind.TAKE_BACK, number, _NOON - 1, person=person)
        other = rng.choice(self.people).key
        before = rng.random() < 0.5  # then the copy knows of a block that is no more
        yield self._make(stem, Kind.LOSE_CARD, number, 8 * 60, person=other)
        yield self._make(stem, Kind.REPORT_LOSS, number, 8 * 60 + 30 if before else _NOON - 4,
                         person=other)  # fmt: skip
        if before or rng.random() < 0.5:
            yield self._make(stem, Kind.FIND_CARD, number, _NOON - 3, person=other)
        else:
            yield self._make(stem, Kind.FIND_CARD, number + 1, 9 * 60, person=other)

    def _stolen_till(self) -> Iterator[Happening]:
        """At night, or at the end of a day that it had not told of: people decide on that later."""
        rng = random.Random(sub_seed(self.seed, "theft"))
        shop, till = rng.choice(_places(self.shops))
        number = rng.randrange(4, max(5, self.days - _CLAIM_DAYS))
        evening = next(one.hours[-1][1] for one in self.shops if one.key == shop) - 1
        minute = rng.choice((_NIGHT, evening))
        yield self._make("theft", Kind.STEAL_TILL, number, minute, shop=shop, till=till)

    def _found_card(self) -> Iterator[Happening]:
        """Somebody loses a card, tells the desk, a stranger tries it, and it is found again."""
        rng = random.Random(sub_seed(self.seed, "found"))
        person, (shop, till) = rng.choice(self.people).key, rng.choice(_places(self.shops))
        number = rng.randrange(3, self.days - 5)
        yield self._make("found", Kind.LOSE_CARD, number, _NOON, person=person)
        yield self._make("found", Kind.REPORT_LOSS, number + 1, _NOON, person=person)
        for turn, later in enumerate((number + 1, number + 3)):
            yield self._make(f"found-{turn}", Kind.STRANGER, later, 11 * 60, person=person,
                             shop=shop, till=till, basket=((0, 900),))  # fmt: skip
        yield self._make("found", Kind.FIND_CARD, number + 4, _NOON, person=person)

    def _restored_till(self) -> Iterator[Happening]:
        """A copy of the night before, of some minutes ago, or one that lacks nothing."""
        for turn in range(max(1, self.days // _MONTH)):
            rng = random.Random(sub_seed(self.seed, "restore", turn))
            shop, till = rng.choice(_places(self.shops))
            first = turn * _MONTH
            number = first + rng.randrange(4, min(_MONTH, self.days - first) - 3)
            opens = next(one.hours[0][0] for one in self.shops if one.key == shop)
            copied, later, minute = rng.choice((
                (_NIGHT, rng.randrange(1, 3), _NIGHT),
                (_NIGHT, rng.randrange(1, 3), _NIGHT),
                (opens + 1, 0, opens + 1 + rng.randrange(100, 240)),
                (_NIGHT, 0, _NIGHT + 40),
            ))  # fmt: skip
            stem, place = f"restore{turn or ''}", {"shop": shop, "till": till}
            yield self._make(stem, Kind.BACKUP_TILL, number, copied, **place)
            yield self._make(stem, Kind.RESTORE_TILL, number + later, minute, **place)

    def _new_keys(self) -> Iterator[Happening]:
        """Announced early, begun as soon as every till holds them, then card after card."""
        middle = self.days // 2
        yield self._make("keys", Kind.ANNOUNCE_KEYS, middle - 2, _NOON)
        for number in range(middle - 1, middle + 3):
            yield self._make(f"keys-{number:03}-desk", Kind.SYNC, number, _NOON, shop=DESK)
        for number in range(middle, self.days):
            yield self._make(f"keys-{number:03}", Kind.BEGIN_KEYS, number, _NIGHT)
        for person in self.people:
            rng = random.Random(sub_seed(self.seed, "renew", person.key))
            number = rng.randrange(middle, self.days)
            yield self._make(f"keys-{person.key}", Kind.RENEW_CARD, number,
                             9 * 60 + rng.randrange(600), person=person.key)  # fmt: skip

    def _make(self, stem: str, kind: Kind, number: int, minute: int, **fields: Any) -> Happening:
        name = f"{stem}-{kind}"
        return Happening(
            id=name, at_ms=self._at_ms(number, minute), kind=kind,
            seed=sub_seed(self.seed, name), **fields,
        )  # fmt: skip

    def _at_ms(self, number: int, minute: int) -> int:
        return instant_ms(self.start + timedelta(days=number), minute, 30)


def _places(shops: tuple[Shop, ...]) -> list[tuple[str, int]]:
    return [(shop.key, till) for shop in shops for till in range(shop.tills)]
