"""When everything has happened, who still waits is found."""

import pytest

from simulator.errors import TownError
from tests.town.built import BuiltTown


def waits(built: BuiltTown) -> TownError:
    built.concluded = True
    try:
        return built.caught("TOWN_DUE_WAITS", end=True)
    finally:
        built.concluded = False


def test_a_sale_in_suspense_is_found_at_the_end_of_a_history(built: BuiltTown) -> None:
    till = built.built[0].till
    built.sell(till, built.chips[0].chip, 700, tc=False)
    till.heartbeat()
    till.sync()
    error = waits(built)
    assert (error.facts["law"], error.facts["cents"]) == (2, 700)
    assert "suspense" in str(error.facts["what"])


def test_a_history_that_was_broken_off_may_leave_people_waiting(built: BuiltTown) -> None:
    built.end()


def test_a_shop_that_was_not_paid_is_found(built: BuiltTown) -> None:
    error = waits(built)
    assert error.facts["what"] == "no batch has paid it, or another one"
    assert error.facts["cents"] == 2_249


def test_a_till_whose_mark_stands_still_is_found(built: BuiltTown) -> None:
    built.change("UPDATE terminal SET mark = mark - 7 WHERE number = 1")
    error = waits(built)
    assert error.facts["law"] == 9
    assert "7 s behind" in str(error.facts["what"])


def test_a_certificate_that_nobody_has_read_is_found(
    built: BuiltTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = "SELECT record_hash FROM card_record WHERE 0"
    monkeypatch.setattr("simulator.town.checks.dues._ATTESTED", nothing)
    assert waits(built).facts["law"] == 2
