"""The counter of a town: moods, the day's X and Z, and the papers that shops keep."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from simulator.errors import TownError
from simulator.town.checks.audit import audited, check_audit
from simulator.town.checks.town_checks import TownChecks
from simulator.town.plan import Accident, AccidentKind, Happening, Kind, Plan, Size, make_plan
from simulator.town.plan.model import FOOD, Mood
from simulator.town.reached import Reached, watching
from simulator.town.world import World

UPDATE = 8
"""The command of a sale that debits, of a card with one wallet; with medicines it has two."""


def with_trouble(plan: Plan, troubles: Sequence[tuple[Mood, AccidentKind]]) -> Plan:
    """Purchases of the second day on, one after the other: this mood, this trouble at the debit."""
    households = {person.key: person.household for person in plan.people}
    left, happenings = list(troubles), list[Happening]()
    for item in plan.happenings:
        if item.kind is Kind.BUY and item.id >= "d001" and left:
            mood, kind = left.pop(0)
            wallets = 1 + (households[item.person] > 2)
            accident = Accident(f"{item.id}!{kind}", kind, UPDATE + wallets - 1)
            other = "p000" if item.person != "p000" else "p001"
            item = replace(  # noqa: PLW2901
                item, mood=mood, other=other, accidents=(accident,), basket=((FOOD, 300),),
                pin_slips=0, forgets=False,
            )  # fmt: skip
        happenings.append(item)
    assert not left, "the plan is too short"
    return replace(plan, happenings=tuple(happenings))


def play(plan: Plan) -> tuple[Reached, World]:
    with watching() as reached, World(plan, watchers=[TownChecks()]) as world:
        world.play()
    return reached, world


def test_customers_who_do_not_wait_leave_nothing_astray() -> None:
    plan = make_plan(seed=7, days=3, size=Size(people=3, shops=1, trips=7.0))
    before, after = AccidentKind.TEAR_BEFORE, AccidentKind.TEAR_AFTER
    reached, world = play(
        with_trouble(
            plan,
            [
                (Mood.HURRIED, before), (Mood.HURRIED, after), (Mood.ANNOYED, before),
                (Mood.MIXED_UP, before), (Mood.MIXED_UP, after), (Mood.SLOW, before),
            ],
        )
    )  # fmt: skip
    sale, recovery, intent = (reached.of(table) for table in ("sale", "recovery", "intent"))
    assert sale["unknown>unresolved by parked"] == 2
    assert sale["not_applied>idle by given_up"] == 1
    assert sale["agreed>basket by reset_same"] == 1
    assert recovery["wrong_card"] >= 2
    assert intent["unresolved>committed"] == intent["unresolved>not_applied"] == 1
    assert sum(world.town.truth.paid.values()) == sum(world.town.truth.delivered().values()) > 0


def test_every_day_is_closed_and_what_shops_keep_is_looked_at() -> None:
    plan = make_plan(seed=6, days=3, size=Size(people=3, shops=1, trips=4.0))
    reached, world = play(plan)
    closes = [item for item in plan.happenings if item.kind is Kind.CLOSE_BATCH]
    assert reached.of("entry")["batch_close accepted"] == len(closes)
    assert {merchant for merchant, _ in world.town.declared.statements} == {2}


def test_a_statement_that_the_books_do_not_bear_out_is_found() -> None:
    with World(make_plan(seed=6, days=1, size=Size(people=2, shops=1, trips=4.0))) as world:
        world.play()
        check_audit(world.town, audited(world.town))
        merchant, statement = world.town.declared.statements[-1]
        world.town.declared.statements.append((merchant, statement[:-1] + b"?"))
        with pytest.raises(TownError) as found:
            check_audit(world.town, audited(world.town))
    assert found.value.facts["subject"] == "finding STATEMENT_BAD"
