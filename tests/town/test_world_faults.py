"""What goes wrong in a town truly goes wrong, and comes out to the cent all the same."""

from dataclasses import replace

from simulator.town.checks.town_checks import TownChecks
from simulator.town.plan import Accident, AccidentKind, Happening, Kind, Plan, Size, make_plan
from simulator.town.world import World

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
