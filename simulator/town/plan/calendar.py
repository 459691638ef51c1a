"""The calendar of a town: when people shop, when money comes, when shops open and report."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from cardlib.calendar import ZONE
from simulator.town.plan.model import (
    DESK,
    FOOD,
    HYGIENE,
    MEDICINES,
    Happening,
    Kind,
    Mood,
    Person,
    Shop,
)
from simulator.town.randomness import sub_seed

GROCERIES, PHARMACY, SEASON = 12, 13, 14
"""Programme numbers: food and hygiene; medicines; food that has to be bought soon."""
SEASON_DAYS = 8
"""The season's voucher ends after so many days."""
CENTS_OF_SEASON = 9_000
DAY_LIMIT = 150_00
"""Cents that each voucher of the town lets a purse spend in a day."""
LONG = 25
"""Days that a history must have for a season that is over and done with at its end."""
_SUPPLEMENT_DAY, CENTS_OF_SUPPLEMENT = 12, 2_500
CENTS_A_HEAD = 9_000
CENTS_A_WEEKLY_TRIP = 4_500
"""A month of one small purchase a week: what most people have, and some run out of."""
CENTS_OF_MEDICINES = 6_000
_SATURDAY = 5
_REPORTED_DAYS = 2
"""A settlement looks back so far: by then most tills have reported."""
_DESK_OPENS, _DESK_SHUTS, _OFFICE_OPENS = 9 * 60, 17 * 60, 8 * 60
_SYNC_EVERY_MIN, _SYNCS = 150, 0.15
"""A till may report so often by day, and does it with this chance; always after closing."""
_TYPICAL = {FOOD: (250, 2_800), HYGIENE: (150, 900), MEDICINES: (300, 1_800)}
"""Cents of a small purchase, by category."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """One town's days."""

    seed: int
    start: date
    days: int
    people: tuple[Person, ...]
    shops: tuple[Shop, ...]

    def happenings(self) -> Iterator[Happening]:
        """Everything, in no order."""
        for number in range(self.days):
            day = self.start + timedelta(days=number)
            for shop in self.shops:
                yield from self._shop_day(number, day, shop)
            for person in self.people:
                yield from self._person_day(number, day, person)
            yield from self._office_day(number, day)

    # the shops ------------------------------------------------------------------------------

    def _shop_day(self, number: int, day: date, shop: Shop) -> Iterator[Happening]:
        if day.weekday() in shop.closed:
            return
        opens, closes = shop.hours[0][0], shop.hours[-1][1]
        for till in range(shop.tills):
            make = _Maker(self.seed, f"d{number:03}-{shop.key}-t{till}", day, shop.key, till)
            yield make(Kind.OPEN_TILL, "open", opens - 5)
            rng = random.Random(sub_seed(self.seed, "reports", number, shop.key, till))
            for minute in range(opens + 20 + 7 * till, closes, _SYNC_EVERY_MIN):
                if rng.random() < _SYNCS:
                    yield make(Kind.SYNC, f"sync{minute}", minute)
            yield make(Kind.CLOSE_BATCH, "batch", closes + 3)
            yield make(Kind.SYNC, "last-sync", closes + 5)
            yield make(Kind.CLOSE_TILL, "close", closes + 10)

    # the people -----------------------------------------------------------------------------

    def _person_day(self, number: int, day: date, person: Person) -> Iterator[Happening]:
        make = _Maker(self.seed, f"d{number:03}-{person.key}", day, person=person.key)
        rng = random.Random(sub_seed(self.seed, "day", number, person.key))
        if number == 0:
            yield make(Kind.ISSUE_CARD, "issue", _DESK_OPENS, rng.randrange(0, 3600))
        if number == 0 or day.day == 1:
            yield from self._money(make, number, person, rng)
        if number == _SUPPLEMENT_DAY and rng.random() < 0.4:
            yield from self._supplement(make, rng)
        for turn, shop in enumerate(self._trips(day, person, rng)):
            yield from self._trip(make, turn, day, shop, person, rng)

    def _money(
        self, make: "_Maker", number: int, person: Person, rng: random.Random
    ) -> Iterator[Happening]:
        """The month's orders; the first is fetched at the desk, later ones there or at a till."""
        office = _DESK_OPENS + 61 if number == 0 else _OFFICE_OPENS
        heads = CENTS_A_HEAD * (1 + person.household) // 2
        heads += int(min(person.trips_a_week, 8.0) * CENTS_A_WEEKLY_TRIP)
        yield make(Kind.ORDER_LOAD, "order", office, rng.randrange(500), cents=heads,
                   programme=GROCERIES)  # fmt: skip
        if person.household > 2:
            yield make(Kind.ORDER_LOAD, "order-med", office, 500 + rng.randrange(99),
                       cents=CENTS_OF_MEDICINES, programme=PHARMACY)  # fmt: skip
        if number == 0 and self.days >= LONG and person.household % 2:
            yield make(Kind.ORDER_LOAD, "order-season", office, 599, cents=CENTS_OF_SEASON,
                       programme=SEASON)  # fmt: skip
        if number == 0 or rng.random() < 0.4:
            yield make(Kind.COLLECT, "collect", _DESK_OPENS + 72, rng.randrange(3600))

    def _supplement(self, make: "_Maker", rng: random.Random) -> Iterator[Happening]:
        """More money in the middle of the month; some come for it in a hurry, some not at all."""
        yield make(Kind.ORDER_LOAD, "order-more", _OFFICE_OPENS, rng.randrange(500),
                   cents=CENTS_OF_SUPPLEMENT, programme=GROCERIES)  # fmt: skip
        if rng.random() < 0.6:
            yield make(Kind.COLLECT, "collect-more", _OFFICE_OPENS + 65, rng.randrange(1800),
                       mood=Mood.HURRIED)  # fmt: skip
        yield make(Kind.TAKE_BACK, "take-back", _OFFICE_OPENS + 110, rng.randrange(600))

    def _trips(self, day: date, person: Person, rng: random.Random) -> list[Shop]:
        shops = {shop.key: shop for shop in self.shops}
        eager = 1.8 if day.day <= 7 else 0.7
        wanted = [person.favourite] if day.weekday() == person.shopping_day else []
        chance = person.trips_a_week / 7 * eager
        while rng.random() < chance and len(wanted) < 12:
            wanted.append(person.favourite if rng.random() < 0.6 else person.second)
            chance -= 1
        chosen = (shops[key] for key in wanted)
        return [shop for shop in chosen if day.weekday() not in shop.closed]

    def _trip(
        self, make: "_Maker", turn: int, day: date, shop: Shop, person: Person, rng: random.Random
    ) -> Iterator[Happening]:
        minute = _when(shop, day, rng)
        second, till = rng.randrange(60), rng.randrange(shop.tills)
        at = make.at_till(shop, till)
        weekly = turn == 0 and day.weekday() == person.shopping_day
        if rng.random() < (0.5 if day.day <= 6 else 0.03):
            yield at(Kind.COLLECT, f"collect{turn}", minute - 1, second)
        slips = 0 if rng.random() < person.memory else rng.choice((1, 1, 2))
        forgets = rng.random() > person.memory and rng.random() < 0.15
        yield at(
            Kind.BUY, f"buy{turn}", minute, second, basket=_basket(shop, person, rng, weekly),
            pin_slips=slips, forgets=forgets,
        )  # fmt: skip
        if rng.random() < 0.03:
            yield at(Kind.VOID, f"void{turn}", minute + 1 + rng.randrange(4), second)
        if forgets:
            yield make(Kind.RESET_PIN, f"pin{turn}", minute + 240 + rng.randrange(60))

    # the town hall --------------------------------------------------------------------------

    def _office_day(self, number: int, day: date) -> Iterator[Happening]:
        make = _Maker(self.seed, f"d{number:03}-office", day)
        yield make(Kind.END_DAY, "night", 10)
        if day.weekday() < _SATURDAY:  # the desk's own journal holds all marks back, too
            yield _Maker(self.seed, f"d{number:03}-office", day, DESK)(
                Kind.SYNC, "desk", _DESK_SHUTS
            )
        if number and day.weekday() < _SATURDAY and day.day in range(5, 20, 3):
            until = instant_ms(day - timedelta(days=_REPORTED_DAYS), 0)
            yield make(Kind.DESK_WORK, "cases", _OFFICE_OPENS + 30)
            yield make(Kind.SETTLE, "settle", _OFFICE_OPENS + 60, until_ms=until)
            yield make(Kind.STATEMENTS, "statements", _OFFICE_OPENS + 61, until_ms=until)
            yield make(Kind.PAY, "pay", _OFFICE_OPENS + 60 * 8)


def _when(shop: Shop, day: date, rng: random.Random) -> int:
    """A minute when the shop is open; on Saturday mornings most come within an hour."""
    begin, end = rng.choice(shop.hours)
    if day.weekday() == _SATURDAY and rng.random() < 0.7:
        begin, end = max(shop.hours[0][0], 10 * 60), 11 * 60 + 30
    return rng.randrange(begin + 2, end - 8)


def _basket(
    shop: Shop,
    person: Person,
    rng: random.Random,
    weekly: bool,  # noqa: FBT001
) -> tuple[tuple[int, int], ...]:
    """Cents by category; a weekly shopping is for the whole household."""
    heads = 1 + person.household if weekly else 1
    modest = max(1.0, person.trips_a_week / 8)  # who goes often takes little each time
    chosen = [bit for bit in shop.sells if bit == shop.sells[0] or rng.random() < 0.35]
    return tuple(
        (bit, max(30, int(rng.triangular(*_TYPICAL[bit], _TYPICAL[bit][0] * 2) * heads / modest)))
        for bit in chosen
    )


def instant_ms(day: date, minute: int, second: int = 0) -> int:
    """Milliseconds since 1970 at a time of a day in Europe/Rome."""
    midnight = datetime.combine(day, time(), ZONE)
    return int(midnight.timestamp()) * 1000 + (minute * 60 + second) * 1000


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes happenings of one day: id from a stem and a word, sub-seed from seed and id."""

    seed: int
    stem: str
    day: date
    shop: str = ""
    till: int = 0
    person: str = ""

    def __call__(
        self, kind: Kind, word: str, minute: int, second: int = 0, **fields: Any
    ) -> Happening:
        name = f"{self.stem}-{word}"
        return Happening(
            id=name, at_ms=instant_ms(self.day, minute, second), kind=kind,
            seed=sub_seed(self.seed, name), person=self.person, shop=self.shop, till=self.till,
            **fields,
        )  # fmt: skip

    def at_till(self, shop: Shop, till: int) -> "_Maker":
        """The same, at a till."""
        return _Maker(self.seed, self.stem, self.day, shop.key, till, self.person)
