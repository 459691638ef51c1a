"""A void of a sale of a day that its till had closed: it should have been a return."""

import pytest

from backend.domain.cases import Decision
from backend.services.administration.cases import CaseOffice
from tests.integration.backend.books import check_export, check_laws, held, payable, postings
from tests.integration.backend.builders import Chip, Till, Town
from tests.integration.backend.test_cases import decide


def late_void(town: Town, *, tc: bool = True) -> tuple[Chip, Till]:
    """A sale of 7 euro, the day's close, a void of 5 euro of it."""
    chip, till = town.chip_with(5_000), town.till()
    sale = till.sell(chip, 700)
    till.close_day()
    till.void(chip, sale, 500, tc=tc)
    answer = till.sync()
    assert {verdict.reason for verdict in answer.verdicts} == {""}
    return chip, till


def test_a_void_after_the_close_moves_nothing_before_two_people_decided(town: Town) -> None:
    chip, _ = late_void(town)
    assert [row.reason for row in postings(town, chip)] == ["", "VOID_AFTER_CLOSE"]
    (case,) = CaseOffice(town.work, town.clock).waiting()
    assert (case.code, case.cents) == ("VOID_AFTER_CLOSE", 500)
    assert (held(town)["on_card"], payable(town, town.shop)) == (4_300, 200)
    assert chip.balance() == 4_800
    check_laws(town)
    check_export(town)


@pytest.mark.parametrize(
    ("decision", "on_card", "owed"), [(Decision.RETURN, 4_800, 200), (Decision.PAY, 4_300, 700)]
)
def test_two_people_say_whether_it_holds(
    town: Town, decision: Decision, on_card: int, owed: int
) -> None:
    chip, till = late_void(town)
    assert decide(town, decision) == 500
    assert (held(town)["on_card"], payable(town, town.shop)) == (on_card, owed)
    check_laws(town)
    check_export(town)
    till.sell(chip, 100)
    till.sync()
    assert held(town)["on_card"] == on_card - 100
    check_laws(town)
    check_export(town)


def test_what_an_unproven_void_holds_back_stays_back_once_it_is_proven(town: Town) -> None:
    chip, till = late_void(town, tc=False)
    (case,) = CaseOffice(town.work, town.clock).waiting()
    assert (case.code, case.cents) == ("SALE_UNPROVEN", 500)
    till.prove(chip, 1)
    till.sync()
    (case,) = CaseOffice(town.work, town.clock).waiting()
    assert (case.code, case.cents) == ("VOID_AFTER_CLOSE", 500)
    check_laws(town)
    check_export(town)


def test_a_void_before_the_close_is_one_however_late_it_is_told(town: Town) -> None:
    chip, till = town.chip_with(5_000), town.till()
    till.close_day()
    sale = till.sell(chip, 700)
    till.void(chip, sale, 500)
    till.close_day()
    till.sync()
    assert held(town)["on_card"] == chip.balance() == 4_800
    assert CaseOffice(town.work, town.clock).waiting() == []
    check_export(town)


def test_the_next_sales_of_the_card_are_paid_while_the_void_waits(town: Town) -> None:
    chip, till = late_void(town)
    till.sell(chip, 4_000)
    till.sync()
    assert payable(town, town.shop) == 4_200
    check_laws(town)
    check_export(town)
