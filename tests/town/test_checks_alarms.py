"""Only who has waited long enough explains an alarm about it, and then it has to come."""

import pytest

from backend.services.alarms import raise_alarm
from simulator.town.checks.alarm_rules import OVERDUE, WINDOW_S
from tests.town.built import BuiltTown


@pytest.fixture
def case(built: BuiltTown) -> tuple[int, int]:
    """An open case, and when it was opened."""
    till = built.built[0].till
    built.sell(till, built.chips[0].chip, 700, tc=False)
    till.heartbeat()
    till.sync()
    built.look()
    with built.engine.connect() as books:
        found = books.exec_driver_sql("SELECT id, opened_at FROM suspense_case WHERE state='open'")
        number, opened = found.one()
    return int(number), int(opened)


def told(built: BuiltTown, case: tuple[int, int], at_s: int) -> None:
    with built.town.work.begin() as unit:
        purse = built.town.purse_row(unit, built.chips[0].chip)
        raise_alarm(unit, OVERDUE, f"case {case[0]}", at_s, purse=purse)
        unit.commit()


def test_a_case_within_its_window_explains_nothing(built: BuiltTown, case: tuple[int, int]) -> None:
    told(built, case, case[1] + WINDOW_S)
    assert built.caught("TOWN_ALARM_FALSE").facts["what"] == OVERDUE


def test_a_case_that_has_waited_longer_has_to_be_told(
    built: BuiltTown, case: tuple[int, int]
) -> None:
    built.declared.night_s = case[1] + WINDOW_S + 1
    told(built, case, built.declared.night_s)
    built.look()
    assert built.checks.counts.alarms_explained == 1


def test_a_night_that_tells_nobody_is_caught(built: BuiltTown, case: tuple[int, int]) -> None:
    built.declared.night_s = case[1] + WINDOW_S + 1
    assert built.caught("TOWN_ALARM_MISSED").facts["subject"] == f"case {case[0]}"


def test_a_copy_that_is_put_back_tells_in_its_own_next_night(
    built: BuiltTown, case: tuple[int, int]
) -> None:
    """The night in which the case was told has never been, for the books as they are now."""
    built.declared.night_s = case[1] + WINDOW_S + 1
    built.declared.backend_restored()
    built.look()
    built.declared.night_s += 86_400
    assert built.caught("TOWN_ALARM_MISSED").facts["subject"] == f"case {case[0]}"
