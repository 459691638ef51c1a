"""A till is stolen: what its word is worth afterwards, and what no longer waits for it."""

import pytest

from backend.domain.cases import Decision
from backend.errors import ConflictError, NotPermittedError
from backend.services.cases.office import CaseOffice
from backend.services.terminals.lost_terminals import LossOffice
from backend.services.terminals.marks import mark_of_merchant, mark_of_municipality
from tests.integration.backend.books import check_export, check_laws, held, payable, postings
from tests.integration.backend.builders import APPROVER, LOADER, START, Town
from tests.integration.backend.test_cases import WINDOW, decide

HOUR = 3_600


def lose(town: Town, terminal: int, at: int) -> int:
    office = LossOffice(town.work, town.clock)
    return office.record(terminal, at, act="Denuncia 7", requested_by=LOADER, approved_by=APPROVER)


def test_a_sale_after_the_theft_waits_for_a_person_and_one_before_is_paid(town: Town) -> None:
    chip, till = town.chip_with(5_000), town.till()
    till.sell(chip, 700)
    town.clock.seconds += HOUR
    till.sell(chip, 500)
    till.sync()
    assert payable(town, town.shop) == 1_200
    lose(town, till.number, START + HOUR // 2)
    check_laws(town)
    assert payable(town, town.shop) == 700
    assert [row.reason for row in postings(town, chip)] == ["", "SALE_TERMINAL_LOST"]


def test_a_thief_who_sets_the_clock_back_is_not_paid(town: Town) -> None:
    chip, till = town.chip_with(5_000), town.till()
    till.heartbeat()
    till.sync()
    town.clock.seconds += HOUR
    lose(town, till.number, START + HOUR // 2)
    town.clock.seconds = START
    till.sell(chip, 700)
    town.clock.seconds = START + 2 * HOUR
    till.sync()
    assert held(town)["suspense"] == 700
    assert payable(town, town.shop) == 0


def test_marks_wait_for_a_silent_till_until_it_is_recorded_as_lost(town: Town) -> None:
    till, silent = town.till(), town.till()
    town.clock.seconds += HOUR
    till.heartbeat()
    till.sync()
    with town.work.begin() as unit:
        mark = mark_of_merchant(unit, town.shop)
        other = mark_of_merchant(unit, town.other_shop)
    assert (mark.time, mark.holding) == (START, (silent.number,))
    assert other.passed(START + HOUR)  # one shop's silent till is no other shop's
    lose(town, silent.number, START)
    with town.work.begin() as unit:
        mark = mark_of_municipality(unit, town.municipality)
    assert (mark.time, mark.lost) == (START + HOUR, (silent.number,))


def test_a_parked_sale_is_named_and_holds_nothing_back(town: Town) -> None:
    chip, till = town.chip_with(5_000), town.till()
    seq = till.begin(chip, 700)
    till.unresolved(seq)
    town.clock.seconds += HOUR
    till.heartbeat()
    till.sync()
    with town.work.begin() as unit:
        mark = mark_of_municipality(unit, town.municipality)
    assert (mark.time, mark.unresolved) == (START + HOUR, (f"{till.number}:{seq}",))


def test_a_loss_needs_two_people_and_is_recorded_once(town: Town) -> None:
    till, office = town.till(), LossOffice(town.work, town.clock)
    with pytest.raises(NotPermittedError, match="SAME_PERSON"):
        office.record(till.number, START, act="x", requested_by="Ada", approved_by=" ada")
    lose(town, till.number, START)
    lose(town, till.number, START)
    with pytest.raises(ConflictError, match="TERMINAL_LOST_BEFORE"):
        lose(town, till.number, START - 1)


def test_a_burnt_sale_of_which_nobody_knows_the_amount_is_a_case(town: Town) -> None:
    chip, till, other = town.chip_with(5_000), town.till(), town.till(town.other_shop)
    for cents in (700, 400):
        till.debit(chip, till.begin(chip, cents))
    other.prove(chip, 1)
    other.sync()
    office = CaseOffice(town.work, town.clock)
    assert office.waiting() == []
    lose(town, till.number, START)
    (case,) = office.waiting()
    assert (case.code, case.cents) == ("SALE_ENTRY_MISSING", 0)
    other.prove(chip, 2)
    other.sync()
    assert [item.cents for item in office.waiting()] == [400, 700]
    check_laws(town)
    check_export(town)


def test_a_case_of_an_unknown_amount_that_people_closed_comes_back_with_it(town: Town) -> None:
    chip, till, other = town.chip_with(5_000), town.till(), town.till(town.other_shop)
    for cents in (700, 400):
        till.debit(chip, till.begin(chip, cents))
    other.prove(chip, 1)
    other.sync()
    lose(town, till.number, START)
    town.clock.seconds += WINDOW
    decide(town, Decision.DONE)
    assert CaseOffice(town.work, town.clock).waiting() == []
    other.prove(chip, 2)
    other.sync()
    assert sorted(item.cents for item in CaseOffice(town.work, town.clock).waiting()) == [400, 700]
    check_laws(town)
    check_export(town)
