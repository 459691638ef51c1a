"""A town without an adversary: no alarm, and a weekend that nobody notices."""

from datetime import datetime

import pytest

from cardlib.calendar import ZONE
from simulator.town.checks.town_checks import TownChecks
from simulator.town.plan import Happening, Kind, Plan, Size, make_plan
from simulator.town.world import World

SATURDAY, MONDAY = 5, 0
NOON, EIGHT = 12, 20


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, ZONE)


def weekend_off(plan: Plan) -> Plan:
    """No till reports from Saturday noon to Monday evening; they are switched off in between."""

    def is_missed(item: Happening) -> bool:
        when = moment(item.at_ms)
        after_noon = when.weekday() == SATURDAY and when.hour >= NOON
        return item.kind is Kind.SYNC and (
            after_noon or (when.weekday() == MONDAY and when.hour < EIGHT)
        )

    return plan.without({item.id for item in plan.happenings if is_missed(item)})


def test_a_till_off_from_saturday_evening_to_monday_morning_sells_on_monday() -> None:
    plan = weekend_off(make_plan(1, days=5, size=Size(people=4, shops=2, trips=3.0)))
    with World(plan, watchers=[TownChecks()]) as world:
        world.play()
        truth = world.town.truth
        refused = truth.refused
        sold = [item for item in truth.deliveries if moment(item.at_ms).weekday() == MONDAY]
    shops = {item.shop for item in plan.happenings if item.kind is Kind.BUY and is_monday(item)}
    assert shops
    assert {item.shop for item in sold} == shops
    assert not refused["OFFLINE_TOO_LONG"] + refused["CLOCK_JUMPED"]


def is_monday(item: Happening) -> bool:
    return moment(item.at_ms).weekday() == MONDAY


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_there_is_no_alarm_without_an_adversary(seed: int) -> None:
    checks = TownChecks()
    plan = make_plan(seed, days=5, size=Size(people=3, shops=2, trips=2.0), faults=0.15)
    with World(plan, watchers=[checks]) as world:
        world.play()
        assert world.town.truth.deliveries
    assert (checks.counts.alarms_false, checks.counts.alarms_missed) == (0, 0)
