"""Who lives in a town, and which shops there are. Nobody of this is real."""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from cardlib.calendar import day_end
from cardlib.codec.purse import Suite
from simulator.card.masks import CRS_STINCARD, GENERIC_T0, WHITE, WHITE_APPLET
from simulator.card.personal import Holder
from simulator.town.plan.model import FOOD, HYGIENE, MEDICINES, Person, Shop, Size
from simulator.town.randomness import sub_seed

OTHER_CARDS: Mapping[int, tuple[str, Suite]] = {
    0: (CRS_STINCARD, Suite.AES_128),
    8: (CRS_STINCARD, Suite.AES_128),
    9: (WHITE, Suite.TDEA_2KEY),
    10: (WHITE_APPLET, Suite.AES_128),
    11: (GENERIC_T0, Suite.AES_128),
}
"""Of twelve people these have another card than the town's white one with AES."""
DOZEN = 12
_MORNING, _AFTERNOON = (8 * 60 + 30, 12 * 60 + 30), (15 * 60 + 30, 19 * 60 + 30)
_ALL_DAY = (8 * 60 + 30, 19 * 60 + 30)
_SURNAMES = ("ROSSI", "BIANCHI", "FERRARI", "COLOMBO", "RICCI", "MARINO", "GRECO", "CONTI")
_WOMEN = ("MARIA", "ANNA", "GIULIA", "CHIARA", "ELENA", "PAOLA", "LAURA", "SARA")
_MEN = ("MARIO", "LUCA", "PAOLO", "MARCO", "ANDREA", "CARLO", "SERGIO", "FABIO")
_SHOPS = (
    ("grocer", "Alimentari Rossi", (FOOD, HYGIENE), (_MORNING, _AFTERNOON)),
    ("market", "Supermercato Piazza", (FOOD, HYGIENE), (_ALL_DAY,)),
    ("chemist", "Farmacia Bianchi", (HYGIENE, MEDICINES), (_MORNING, _AFTERNOON)),
    ("hut", "Bottega Alpe Alta", (FOOD, HYGIENE), (_MORNING,)),
    ("baker", "Forno Conti", (FOOD,), (_MORNING,)),
    ("cheese", "Latteria Sociale", (FOOD,), (_MORNING, _AFTERNOON)),
)
_ALPINE = "hut"
_DRIFTS_PPM = (0, 12, -12, 95, -95, 700, -700)
_SUNDAY, _WEDNESDAY = 6, 2


def make_shops(seed: int, size: Size, start: date, days: int) -> tuple[Shop, ...]:
    """The shops; the fourth lies on a mountain and is offline for days."""
    return tuple(_shop(seed, number, start, days) for number in range(size.shops))


def _shop(seed: int, number: int, start: date, days: int) -> Shop:
    key, name, sells, hours = _SHOPS[number % len(_SHOPS)]
    turn = number // len(_SHOPS)
    key, name = (f"{key}{turn}", f"{name} {turn + 1}") if turn else (key, name)
    rng = random.Random(sub_seed(seed, "shop", key))
    closed = (_SUNDAY, _WEDNESDAY) if len(hours) == 1 and number % 2 else (_SUNDAY,)
    return Shop(
        key=key, name=name, iban=town_iban(number + 2), tills=2 if "market" in key else 1,
        hours=hours, closed=closed, sells=sells,
        down=_down(rng, start, days, alpine=key.startswith(_ALPINE)),
    )  # fmt: skip


def _down(
    rng: random.Random, start: date, days: int, *, alpine: bool
) -> tuple[tuple[int, int], ...]:
    """Times without a line: hours now and then; on the mountain days, but never eight in a row."""
    found: list[tuple[int, int]] = []
    day = rng.randrange(3, 9)
    while day < days:
        begin = day_end(start + timedelta(days=day)) - rng.randrange(4, 15) * 3600
        hours = rng.randrange(40, 150) if alpine else rng.randrange(1, 7)
        found.append((begin * 1000, (begin + hours * 3600) * 1000))
        day += hours // 24 + (rng.randrange(3, 8) if alpine else rng.randrange(6, 25))
    return tuple(found)


def with_drift(seed: int, shops: tuple[Shop, ...]) -> tuple[Shop, ...]:
    """The same with clocks as they are: a second a day off, or eight, or a minute."""
    return tuple(
        replace(
            shop,
            drift_ppm=tuple(
                random.Random(sub_seed(seed, "drift", shop.key, till)).choice(_DRIFTS_PPM)
                for till in range(shop.tills)
            ),
        )
        for shop in shops
    )


def make_people(seed: int, size: Size, shops: tuple[Shop, ...]) -> tuple[Person, ...]:
    """The people; of every twelve some have other cards: ``OTHER_CARDS``."""
    return tuple(_person(seed, number, size, shops) for number in range(size.people))


def _person(seed: int, number: int, size: Size, shops: tuple[Shop, ...]) -> Person:
    key = f"p{number:03}"
    rng = random.Random(sub_seed(seed, "person", key))
    mask, suite = OTHER_CARDS.get(number % DOZEN, (WHITE, Suite.AES_128))
    favourite, second = rng.choice(shops), rng.choice(shops)
    return Person(
        key=key, holder=_holder(rng), mask=mask, suite=suite,
        household=rng.choice((1, 1, 2, 2, 3, 4, 5)),
        favourite=favourite.key, second=second.key,
        shopping_day=rng.choice((5, 5, 5, 0, 1, 3, 4)),
        trips_a_week=size.trips * rng.uniform(0.5, 3.0), memory=rng.choice((0.9, 0.97, 0.995)),
    )  # fmt: skip


def _holder(rng: random.Random) -> Holder:
    woman = rng.random() < 0.6
    return Holder(
        surname=rng.choice(_SURNAMES), name=rng.choice(_WOMEN if woman else _MEN),
        sex="F" if woman else "M",
        born_on=date(rng.randrange(1940, 2004), rng.randrange(1, 13), rng.randrange(1, 29)),
    )  # fmt: skip


def town_iban(number: int) -> str:
    """An IBAN at a bank that does not exist, with its right check characters."""
    account = f"9999901600{number:012}"
    cin = _cin(account)
    digits = "".join(str(int(sign, 36)) for sign in f"{cin}{account}IT00")
    return f"IT{98 - int(digits) % 97:02}{cin}{account}"


_ODD_DIGITS = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)


def _cin(account: str) -> str:
    """The check letter of an Italian account number."""
    places = enumerate(int(digit) for digit in account)
    total = sum(digit if at % 2 else _ODD_DIGITS[digit] for at, digit in places)
    return chr(ord("A") + total % 26)
