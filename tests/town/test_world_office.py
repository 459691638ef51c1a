"""The town hall gives less than it promised: loads not fetched, seasons that end, funds unused."""

from dataclasses import replace
from typing import Any

from simulator.town.checks.town_checks import TownChecks
from simulator.town.plan import Accident, AccidentKind, Happening, Kind, Plan, Size, make_plan
from simulator.town.plan.calendar import GROCERIES, LONG, SEASON
from simulator.town.plan.model import DESK, Mood
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
        assert not sum(world.town.truth.ordered.values())
    assert reached.of("session_outcome")["LOAD_VOIDED"] == 1
    assert reached.of("order")["loading>void"] == 1
    assert reached.of("order")["approved>void"] >= 1
    moved = reached.of("transfer")
    assert moved["order_void"] == 1
    assert moved["award_withdrawn"] == moved["award"]
    assert moved["funding_returned"] == moved["funding"]


def test_what_is_left_of_a_season_is_the_funds_again() -> None:
    plan = make_plan(seed=4, days=LONG, size=Size(people=2, shops=1))
    wanted = (Kind.ISSUE_CARD, Kind.ORDER_LOAD, Kind.COLLECT, Kind.END_DAY)
    plan = plan.without(
        {item.id for item in plan.happenings if item.kind not in wanted and item.id < "end-"}
    )
    assert any(item.programme == SEASON for item in plan.happenings)
    with watching() as reached, World(plan, watchers=[TownChecks()]) as world:
        world.play()
    moved = reached.of("transfer")
    assert moved["expired_pending"] == moved["expired"] == moved["expired_released"] > 0


def killed(item: Happening, at_commit: int, variant: int) -> Happening:
    accident = Accident(f"{item.id}!kill", AccidentKind.KILL_BACKEND, at_commit, variant)
    return replace(item, accidents=(accident,))


def test_what_people_do_is_done_once_though_the_backend_dies_under_their_hands() -> None:
    plan = make_plan(seed=6, days=1, size=Size(people=2, shops=2, trips=4.0))
    kinds = (Kind.ORDER_LOAD, Kind.SETTLE, Kind.PAY, Kind.END_DAY)
    happenings, deaths = list[Happening](), 0
    for number, item in enumerate(plan.happenings):
        hit = item.kind in kinds and "failed" not in item.id
        happenings.append(killed(item, 1 + number % 2, number // 2) if hit else item)
        deaths += hit
    with World(replace(plan, happenings=tuple(happenings)), watchers=[TownChecks()]) as world:
        world.play()
        assert deaths >= world.town.truth.struck[AccidentKind.KILL_BACKEND] >= deaths - 2
        assert world.town.truth.loaded == world.town.truth.ordered
        assert sum(world.town.truth.paid.values()) == sum(world.town.truth.delivered().values()) > 0


def test_a_load_that_a_restored_copy_has_forgotten_is_found_on_the_card() -> None:
    plan = make_plan(seed=6, days=2, size=Size(people=1, shops=1, trips=2.0))
    plan = with_more(
        plan,
        [
            at(1, 6 * 60, Kind.BACKUP_BACKEND),
            at(1, 6 * 60 + 1, Kind.ORDER_LOAD, person="p000", cents=1_700, programme=GROCERIES),
            at(1, 6 * 60 + 2, Kind.COLLECT, person="p000"),
            at(1, 6 * 60 + 3, Kind.RESTORE_BACKEND),
        ],
    )
    with World(plan, watchers=[TownChecks()]) as world:
        world.play()
        assert not world.town.recovering
        assert world.town.citizens["p000"].waiting == 0
        assert world.town.truth.ordered.total() > 1_700


def test_a_restored_town_waits_two_nights_for_a_till_that_stays_away() -> None:
    plan = make_plan(seed=6, days=4, size=Size(people=1, shops=2, trips=2.0))
    away, *others = plan.shops
    away = replace(away, down=((plan.start_ms, plan.happenings[-1].at_ms + 1),))
    plan = with_more(
        replace(plan, shops=(away, *others)),
        [
            at(1, 6 * 60, Kind.BACKUP_BACKEND),
            at(1, 6 * 60 + 1, Kind.ORDER_LOAD, person="p000", cents=1_700, programme=GROCERIES),
            at(1, 6 * 60 + 2, Kind.COLLECT, person="p000"),
            at(1, 6 * 60 + 3, Kind.RESTORE_BACKEND),
            *(at(day, 8 * 60, Kind.SYNC, shop=DESK) for day in (2, 3)),
        ],
    )
    recovering: list[bool] = []
    with World(plan, watchers=[TownChecks()]) as world:
        for happening in plan.happenings:
            world.step(happening)
            if happening.kind is Kind.END_DAY:
                recovering.append(world.town.recovering)
        world.end()
        waited = sum(recovering)
        assert 1 <= waited <= 2
        assert not recovering[-1]
        with world.town.hall.work.begin() as unit:
            named = unit.recoveries.newest()
            assert named is not None
            terminal = world.town.registers[away.key, 0].terminal
            assert str(terminal) in (named.without or "").split(",")


def test_what_a_restored_copy_has_forgotten_of_people_and_tills_is_entered_again() -> None:
    """Two days lie between: a block, an unblock, a load taken back, a till lost, another found."""
    plan = make_plan(seed=6, days=5, size=Size(people=3, shops=2, trips=3.0))
    plan = with_more(
        plan,
        [
            at(0, 20 * 60, Kind.LOSE_CARD, person="p001"),
            at(0, 20 * 60 + 1, Kind.REPORT_LOSS, person="p001"),
            at(1, 6 * 60, Kind.ORDER_LOAD, person="p002", cents=1_100, programme=GROCERIES),
            at(1, 7 * 60, Kind.BACKUP_BACKEND),
            at(1, 7 * 60 + 1, Kind.FIND_CARD, person="p001"),
            at(1, 7 * 60 + 2, Kind.LOSE_CARD, person="p000"),
            at(1, 7 * 60 + 3, Kind.REPORT_LOSS, person="p000"),
            at(1, 7 * 60 + 4, Kind.TAKE_BACK, person="p002"),
            at(1, 7 * 60 + 5, Kind.STEAL_TILL, shop="grocer"),
            at(2, 18 * 60, Kind.RESTORE_BACKEND),
        ],
    )
    with World(plan, watchers=[TownChecks()]) as world:
        first = world.town.registers["grocer", 0].terminal
        world.play()
        town = world.town
        second = town.registers["grocer", 0].terminal
        assert _states(world, "SELECT number, state FROM terminal")[first] == "lost"
        assert _states(world, "SELECT terminal, act FROM terminal_readmission").keys() == {second}
        purses = {who.person.key: who.purse for who in town.citizens.values()}
        by_number = _states(world, "SELECT number, state FROM purse")
        states = {key: by_number[purse.number] for key, purse in purses.items() if purse}
        assert states == {"p000": "blocked", "p001": "active", "p002": "active"}
        taken = _states(world, "SELECT delta_cents, state FROM load_order")
        assert taken[1_100] == "void"
        assert any(item.terminal == second for item in town.truth.deliveries)
        assert sum(town.truth.paid.values()) == sum(town.truth.delivered().values()) > 0


def _states(world: World, query: str) -> dict[Any, Any]:
    with world.town.engine.connect() as connection:
        rows = connection.exec_driver_sql(query).all()
    return {row[0]: row[1] for row in rows}
