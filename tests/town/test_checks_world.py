"""A town under faults holds to its laws, and who watches it changes nothing."""

from simulator.town.checks.town_checks import TownChecks
from simulator.town.plan import Size, make_plan
from simulator.town.reached import watching
from simulator.town.state import Town
from simulator.town.world import World

SMALL = Size(people=2, shops=3, trips=2.0)


def ledger_head(town: Town) -> tuple[int, bytes]:
    with town.hall.backend.work.begin() as unit:
        return unit.ledger.head()


def test_a_town_that_is_watched_lives_as_one_that_is_not() -> None:
    plan = make_plan(seed=12, days=1, size=SMALL, faults=0.6)
    checks = TownChecks()
    with watching() as reached, World(plan, watchers=[checks]) as world:
        world.play()
        watched = ledger_head(world.town)
        accidents = world.town.truth.struck.total()
    counts = checks.counts
    assert counts.happenings == len(plan.happenings)
    assert counts.records > SMALL.people
    assert counts.alarms_false == counts.alarms_missed == 0
    assert accidents > 1
    assert reached.of("sale")["committed>closed by entry_durable"] > 0
    assert reached.of("batch")["in_payment>paid"] > 0
    with World(plan) as world:
        world.play()
        assert ledger_head(world.town) == watched
