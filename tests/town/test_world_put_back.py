"""A shop puts its till's disk back to an older copy, and goes on selling."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager, suppress

import pytest

from cardlib.wire.upload import Acknowledgement
from simulator.errors import TownError
from simulator.town.actors.register import Register
from simulator.town.checks.town_checks import TownChecks
from simulator.town.plan import Kind, Plan, Size, make_plan
from simulator.town.world import World
from terminal.errors import JournalError
from terminal.journal.acknowledgements import Acknowledgements
from tests.town.test_world_desk import at, with_more

OPENS, NIGHT = 8 * 60 + 30, 3 * 60
FOREIGN = "ACKNOWLEDGEMENT_FOREIGN"
_CASES = (
    "SELECT c.code, c.decision FROM posting p JOIN suspense_case c ON c.id = p.case_id"
    " WHERE p.terminal = ?"
)
OTHER = "SALE_JOURNAL_OTHER", "pay"


def put_back(copied: tuple[int, int], restored: tuple[int, int]) -> Plan:
    """Six days of a shop; a copy of its till's disk is made and put back: day and minute.

    It reports in the evening alone; from the fourth day on each hour, so that cards are
    asked for what is missing.
    """
    plan = make_plan(seed=6, days=6, size=Size(people=2, shops=1, trips=7.0))
    plan = plan.without({item.id for item in plan.happenings if "t0-sync" in item.id})
    moments = [(Kind.BACKUP_TILL, *copied), (Kind.RESTORE_TILL, *restored)]
    syncs = [(Kind.SYNC, day, minute) for day in (4, 5) for minute in range(OPENS, 20 * 60, 60)]
    more = [at(day, minute, kind, shop="grocer") for kind, day, minute in (*moments, *syncs)]
    return with_more(plan, more)


@contextmanager
def played(plan: Plan) -> Generator[tuple[World, Register]]:
    """To its end, with every check; the till that was put back."""
    with World(plan, watchers=[TownChecks()]) as world:
        first = world.town.registers["grocer", 0]
        world.play()
        yield world, first


def cases(world: World, register: Register) -> Counter[tuple[str, str | None]]:
    with world.town.engine.connect() as connection:
        rows = connection.exec_driver_sql(_CASES, (register.terminal,)).all()
    return Counter((str(reason), decision) for reason, decision in rows)


def paid(world: World) -> int:
    return sum(world.town.truth.paid.values())


def test_what_the_backend_knows_and_the_till_forgot_stops_its_reports_at_the_first_one() -> None:
    with played(put_back((1, NIGHT), (2, NIGHT))) as (world, first):
        town = world.town
        assert first.gone, "the shop has called the town hall"
        assert town.registers["grocer", 0].terminal != first.terminal
        assert town.declared.troubles[FOREIGN] == 1
        assert cases(world, first)[OTHER] > 0, "its sales of the day in between"
        assert paid(world) == sum(town.truth.delivered().values()) > 0


def test_what_nobody_was_told_is_on_the_cards_and_the_till_goes_on() -> None:
    with played(put_back((1, OPENS + 1), (1, 18 * 60))) as (world, first):
        assert first.forgot
        assert not first.gone
        assert FOREIGN not in world.town.declared.troubles
        assert cases(world, first)[OTHER] > 0
        assert paid(world) == sum(world.town.truth.delivered().values()) > 0


def test_a_copy_that_lacks_nothing_goes_on_as_if_nothing_had_been() -> None:
    with played(put_back((2, NIGHT), (2, NIGHT + 40))) as (world, first):
        assert world.town.truth.struck[Kind.RESTORE_TILL] == 1
        assert not first.forgot
        assert not first.gone
        assert not cases(world, first)[OTHER]
        assert not world.town.declared.restored_journals, "every check holds for it"
        assert paid(world) == sum(world.town.truth.delivered().values()) > 0


def test_a_till_that_goes_on_with_an_answer_that_is_not_its_own_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record = Acknowledgements.record

    def careless(self: Acknowledgements, complete: bytes, answer: Acknowledgement) -> None:
        with suppress(JournalError):
            record(self, complete, answer)

    monkeypatch.setattr(Acknowledgements, "record", careless)
    with pytest.raises(TownError) as found, played(put_back((1, NIGHT), (2, NIGHT))):
        pass
    assert found.value.code == "TOWN_JOURNAL_BROKEN"
