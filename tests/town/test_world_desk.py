"""The desk of a town: lost cards, cases, batches, and what becomes of the money."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from simulator.town.checks.town_checks import TownChecks
from simulator.town.plan import Happening, Kind, Plan, Size, make_plan
from simulator.town.plan.calendar import instant_ms
from simulator.town.plan.making import START
from simulator.town.world import World

NOON = 12 * 60


def at(day: int, minute: int, kind: Kind, **fields: Any) -> Happening:
    """A happening that the town's own calendar does not have."""
    when = instant_ms(START + timedelta(days=day), minute)
    return Happening(
        id=f"d{day:03}-own-{minute}-{kind}", at_ms=when, kind=kind, seed=when, **fields
    )


def with_more(plan: Plan, more: Iterable[Happening]) -> Plan:
    """The plan with happenings put in at their time; the end stays the end."""
    usual = [item for item in plan.happenings if item.at_ms < plan.end_ms]
    end = plan.happenings[len(usual) :]
    told = sorted([*usual, *more], key=lambda item: (item.at_ms, item.id))
    return replace(plan, happenings=(*told, *end))


def test_a_lost_card_is_replaced_and_one_that_was_found_pays_again() -> None:
    plan = with_more(
        make_plan(seed=11, days=5, size=Size(people=2, shops=1, trips=6.0)),
        [
            at(1, NOON, Kind.LOSE_CARD, person="p000"),
            at(1, NOON + 9, Kind.REPORT_LOSS, person="p000"),
            at(1, 15 * 60, Kind.REPLACE_CARD, person="p000"),
            at(2, 8 * 60, Kind.COLLECT, person="p000"),
            at(1, NOON + 1, Kind.LOSE_CARD, person="p001"),
            at(1, NOON + 8, Kind.REPORT_LOSS, person="p001"),
            at(2, 9 * 60, Kind.FIND_CARD, person="p001"),
        ],
    )
    with World(plan, watchers=[TownChecks()]) as world:
        world.play()
        old, new = (purse for purse, who in world.town.holders.items() if who.person.key == "p000")
        loaded, received = world.town.truth.loaded, world.town.truth.received()
        assert loaded[old] - received[old] == loaded[new], "all came once the mark had passed"
        assert received[new] > 0
        day_two = plan.start_ms + 2 * 86_400_000
        found = [item for item in world.town.truth.deliveries if item.person == "p001"]
        assert any(item.at_ms > day_two for item in found)
        assert sum(world.town.truth.paid.values()) == sum(world.town.truth.delivered().values())
