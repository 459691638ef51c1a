"""The town hall gives less than it promised: loads not fetched, seasons that end, funds unused."""

from dataclasses import replace

from simulator.town.checks.town_checks import TownChecks
from simulator.town.plan import Accident, AccidentKind, Happening, Kind, Plan, Size, make_plan
from simulator.town.plan.calendar import LONG, SEASON
from simulator.town.plan.model import Mood
from simulator.town.reached import watching
from simulator.town.world import World
from tests.town.test_world_desk import at, with_more


def only_money(plan: Plan) -> Plan:
    """Without the shopping: what happens at the town hall."""
    shopping = {item.id for item in plan.happenings if item.kind in (Kind.BUY, Kind.VOID)}
    return plan.without(shopping)


def torn(item: Happening) -> Happening:
    """Power fails before the first write: the grant is signed, and not on the card."""
    accident = Accident(f"{item.id}!tear", AccidentKind.HALF_WRITTEN, 1)
    return replace(item, accidents=(accident,), mood=Mood.HURRIED)


def test_a_load_that_was_not_fetched_goes_back_to_the_fund() -> None:
    """One was never asked for; one was signed, and the card proves that it is not there."""
    plan = only_money(make_plan(seed=3, days=2, size=Size(people=2, shops=1)))
    first = {item.id for item in plan.happenings if item.kind is Kind.COLLECT}
    plan = with_more(
        plan.without(first),
        [
            torn(at(0, 16 * 60, Kind.COLLECT, person="p000")),
            at(1, 10 * 60, Kind.TAKE_BACK, person="p000"),
            at(1, 11 * 60, Kind.TAKE_BACK, person="p001"),
        ],
    )
    with watching() as reached, World(plan, watchers=[TownChecks()]) as world:
        world.play()
        assert not sum(world.truth.ordered.values())
    assert reached.of("session_outcome")["LOAD_VOIDED"] == 1
    assert reached.of("order")["loading>void"] == 1
    assert reached.of("order")["approved>void"] >= 1
    moved = reached.of("transfer")
    assert moved["order_void"] == 1
    assert moved["award_withdrawn"] == moved["award"]
    assert moved["funding_returned"] == moved["funding"]


def test_what_is_left_of_a_season_is_the_funds_again() -> None:
    plan = only_money(make_plan(seed=4, days=LONG, size=Size(people=2, shops=1)))
    assert any(item.programme == SEASON for item in plan.happenings)
    with watching() as reached, World(plan, watchers=[TownChecks()]) as world:
        world.play()
    moved = reached.of("transfer")
    assert moved["expired_pending"] == moved["expired"] == moved["expired_released"] > 0
