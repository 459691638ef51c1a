"""What goes wrong in a town truly goes wrong, and comes out to the cent all the same."""

from dataclasses import replace
from typing import Any

import pytest

from simulator.town.checks.town_checks import TownChecks
from simulator.town.mishaps import ROOM_LEFT
from simulator.town.plan import Accident, AccidentKind, Happening, Kind, Plan, Size, make_plan
from simulator.town.plan.model import DESK
from simulator.town.world import World
from tests.town.test_world_desk import at, with_more

DAY_S = 86_400
NOON_OF_1970 = 1_790_800_000
PLACES = ("grocer", DESK)

WHERE: dict[AccidentKind, tuple[Kind, int]] = {
    AccidentKind.TEAR_BEFORE: (Kind.BUY, 9),
    AccidentKind.TEAR_AFTER: (Kind.BUY, 9),
    AccidentKind.MUTE: (Kind.BUY, 9),
    AccidentKind.CARD_RESET: (Kind.BUY, 9),
    AccidentKind.HALF_WRITTEN: (Kind.BUY, 1),
    AccidentKind.KILL_TILL: (Kind.BUY, 2),
    AccidentKind.DISK_FULL: (Kind.BUY, 1),
    AccidentKind.KILL_AGENT: (Kind.SYNC, 1),
    AccidentKind.KILL_BACKEND: (Kind.SYNC, 1),
    AccidentKind.LINE_FAULT: (Kind.SYNC, 1),
}
"""A happening that meets each kind of accident, and when in it."""


def with_one_of_each(plan: Plan) -> Plan:
    """Each kind of accident once, each on a happening of its own, from the second day on."""
    left = dict(WHERE)

    def hit(item: Happening) -> Happening:
        able = [kind for kind, (where, _) in left.items() if where is item.kind]
        if not able or item.id < "d001":
            return item
        accident = Accident(f"{item.id}!{able[0]}", able[0], left.pop(able[0])[1], variant=1)
        return replace(item, accidents=(accident,))

    happenings = tuple(map(hit, plan.happenings))
    assert not left, "the plan is too short for every kind"
    return replace(plan, happenings=happenings)


def test_each_kind_of_accident_strikes_and_nothing_is_astray() -> None:
    plan = with_one_of_each(make_plan(seed=5, days=4, size=Size(people=3, shops=1, trips=4.0)))
    with World(plan, watchers=[TownChecks()]) as world:
        world.play()
        assert {kind: world.town.truth.struck[kind] for kind in WHERE} == dict.fromkeys(WHERE, 1)
        assert sum(world.town.truth.paid.values()) == sum(world.town.truth.delivered().values()) > 0


def test_a_bad_fortnight_is_paid_to_the_cent() -> None:
    plan = make_plan(seed=8, days=14, size=Size(people=4, shops=2), faults=0.4)
    with World(plan, watchers=[TownChecks(strict_alarms=False)]) as world:
        world.play()
        assert world.town.truth.struck[Kind.STEAL_TILL] == 1
        assert world.town.truth.struck[Kind.RESTORE_TILL] == 1
        (status,) = world.town.hall.backend.key_sets.status("018999")
        assert status.begun


def meets(plan: Plan, kind: Kind, *accidents: tuple[AccidentKind, int, int]) -> Plan:
    """Every happening of a kind meets these: kind, when, variant."""

    def hit(item: Happening) -> Happening:
        told = (Accident(f"{item.id}!{what}", what, at, variant) for what, at, variant in accidents)
        return replace(item, accidents=tuple(told)) if item.kind is kind else item

    return replace(plan, happenings=tuple(map(hit, plan.happenings)))


@pytest.mark.parametrize(("at", "after"), [(5, 0), (17, 1)])
def test_a_station_that_dies_in_a_card_session_leaves_a_card_that_the_next_one_finishes(
    at: int, after: int
) -> None:
    plan = make_plan(seed=5, days=1, size=Size(people=2, shops=1, trips=4.0))
    dies = AccidentKind.KILL_STATION, at, after
    plan = meets(meets(plan, Kind.ISSUE_CARD, dies), Kind.COLLECT, dies)
    with World(plan, watchers=[TownChecks()]) as world:
        world.play()
        truth = world.town.truth
        assert truth.struck[AccidentKind.KILL_STATION] >= 3
        assert truth.loaded == truth.ordered
        assert sum(truth.paid.values()) == sum(truth.delivered().values()) > 0


def test_power_that_fails_in_each_write_of_a_load_and_of_new_keys_loses_nothing() -> None:
    plan = make_plan(seed=5, days=2, size=Size(people=1, shops=1, trips=4.0))
    keys = [
        at(1, 9 * 60, Kind.ANNOUNCE_KEYS),
        *(at(1, 10 * 60 + turn, Kind.SYNC, shop=place) for turn, place in enumerate(PLACES)),
        at(1, 11 * 60, Kind.BEGIN_KEYS),
    ]
    renewals = [
        replace(
            at(1, 12 * 60 + turn, Kind.RENEW_CARD, person="p000"),
            accidents=(Accident(f"half{turn}", AccidentKind.HALF_WRITTEN, 1 + turn % 15, turn),),
        )
        for turn in range(30)
    ]
    with World(with_more(plan, [*keys, *renewals]), watchers=[TownChecks()]) as world:
        world.play()
        truth = world.town.truth
        assert truth.struck[AccidentKind.HALF_WRITTEN] > 5
        assert sum(truth.paid.values()) == sum(truth.delivered().values()) > 0


def test_a_disk_that_is_full_for_the_agent_counts_when_it_refused_a_write() -> None:
    plan = make_plan(seed=5, days=1, size=Size(people=1, shops=1, trips=2.0))
    plenty = len(ROOM_LEFT) - 1
    for variant, struck in ((0, True), (plenty, False)):
        full = meets(plan, Kind.SYNC, (AccidentKind.DISK_FULL, 1, variant))
        with World(full, watchers=[TownChecks()]) as world:
            world.play()
            assert (world.town.truth.struck[AccidentKind.DISK_FULL] > 0) is struck


@pytest.mark.parametrize("seconds", [-NOON_OF_1970, 30 * DAY_S])
def test_a_till_whose_clock_is_decades_or_a_month_off_sells_again_when_it_is_right(
    seconds: int,
) -> None:
    plan = make_plan(seed=5, days=3, size=Size(people=2, shops=1, trips=6.0))
    place: dict[str, Any] = {"shop": "grocer", "till": 0}
    plan = with_more(
        plan,
        [
            at(1, 10 * 60, Kind.CLOCK_JUMP, seconds=seconds, **place),
            at(2, 7 * 60, Kind.CLOCK_RIGHT, **place),
            at(2, 8 * 60 + 30, Kind.SYNC, **place),
            at(1, 11 * 60, Kind.HALL_CLOCK, seconds=-90),
            at(1, 18 * 60, Kind.HALL_CLOCK),
        ],
    )
    with World(plan, watchers=[TownChecks()]) as world:
        world.play()
        truth = world.town.truth
        assert truth.struck["clock_jump"] == 2
        day_two = plan.start_ms // 1000 + 2 * DAY_S
        assert any(item.at_ms // 1000 > day_two for item in truth.deliveries)
        assert sum(truth.paid.values()) == sum(truth.delivered().values()) > 0


def test_clocks_of_tills_run_fast_or_slow_where_things_go_wrong() -> None:
    sober, faulty = (make_plan(seed=5, days=1, faults=share) for share in (0.0, 0.1))
    assert not any(shop.drift_ppm for shop in sober.shops)
    assert any(any(shop.drift_ppm) for shop in faulty.shops)
    with World(faulty) as world:
        world.town.time.advance(DAY_S * 1000)
        for (shop, till), register in world.town.registers.items():
            assert register.clock.offset_ms == world.town.shops[shop].drift(till) * 86_400 // 1000
