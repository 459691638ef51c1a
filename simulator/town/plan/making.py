"""Makes a plan: people, shops, calendar and accidents from one seed."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import chain

from simulator.town.plan.accidents import with_accidents
from simulator.town.plan.bad_days import BadDays
from simulator.town.plan.calendar import Calendar, instant_ms
from simulator.town.plan.finale import finale
from simulator.town.plan.model import Happening, Kind, Plan, Size
from simulator.town.plan.moods import with_moods
from simulator.town.plan.people import make_people, make_shops, with_drift

START = date(2026, 10, 1)
_DAWN = 5 * 60
_AT_TILLS = {
    Kind.OPEN_TILL, Kind.CLOSE_TILL, Kind.SYNC, Kind.CLOCK_JUMP, Kind.CLOCK_RIGHT, Kind.SHOW_CARDS,
}  # fmt: skip


def make_plan(
    seed: int, days: int, size: Size | None = None, faults: float = 0.0, start: date = START
) -> Plan:
    """``days`` days of a town; ``faults``: the share of happenings that go wrong, 0 to 1.

    The same arguments give the same plan. More faults change no happening: they add accidents
    to them, and bad days of their own.
    """
    size = size or Size()
    shops = make_shops(seed, size, start, days)
    people = make_people(seed, size, shops)
    shops = with_drift(seed, shops) if faults else shops
    usual = with_moods(seed, Calendar(seed, start, days, people, shops).happenings(), people)
    bad = BadDays(seed, start, days, people, shops, faults).happenings()
    told = with_accidents(seed, chain(usual, bad), faults)
    end_ms = instant_ms(start + timedelta(days=days), _DAWN)
    return Plan(
        seed=seed, days=days, start_ms=instant_ms(start, _DAWN), end_ms=end_ms, people=people,
        shops=shops, happenings=(*sorted(told, key=_order), *finale(seed, end_ms, shops, people)),
    )  # fmt: skip


def _order(item: Happening) -> tuple[int, str]:
    return item.at_ms, item.id


def one_till_each(plan: Plan) -> Plan:
    """The same town with one till a shop: half of what a small town costs is its tills."""
    happenings = tuple(
        replace(item, till=0)
        for item in plan.happenings
        if item.till == 0 or item.kind not in _AT_TILLS
    )
    shops = tuple(replace(shop, tills=1) for shop in plan.shops)
    return replace(plan, shops=shops, happenings=happenings)
