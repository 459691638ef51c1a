"""A void of a sale of a day that its till had closed: it should have been a return."""

from datetime import date

import pytest

from backend.domain.cases import Cover, Decision
from backend.errors import ConflictError
from backend.services.administration.day_end import DayEnd
from backend.services.card_sessions.books import books_of
from backend.services.cases.office import CaseOffice
from backend.services.settlement.batches import SettlementService
from backend.services.terminals.lost_terminals import LossOffice
from cardlib.calendar import day_end
from cardlib.codec.purse import day_number
from cardlib.wire.entry_header import EntryType
from cardlib.wire.ids import Seq
from tests.integration.backend.books import check_export, check_laws, held, payable, postings
from tests.integration.backend.builders import APPROVER, LOADER, Chip, Till, Town
from tests.integration.backend.test_cases import WINDOW, decide, settle
from tests.integration.backend.test_lost_terminals import lose

DAY = 86_400


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
    ("decision", "on_card", "owed"), [(Decision.RELEASE, 4_800, 200), (Decision.PAY, 4_300, 700)]
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


@pytest.mark.parametrize(
    ("decision", "base", "settled", "held_back"),
    [
        (None, 1, [], {2: {1: 500}}),
        (Decision.RELEASE, 2, [2], {}),
        (Decision.PAY, 1, [], {2: {1: 500}}),
    ],
)
def test_the_desk_takes_it_as_an_explanation_as_long_as_the_books_have_not_followed(
    town: Town,
    decision: Decision | None,
    base: int,
    settled: list[int],
    held_back: dict[int, dict[int, int]],
) -> None:
    """Also where people left the money with the shop: else the card could never be loaded again."""
    chip, _ = late_void(town)
    if decision is not None:
        decide(town, decision)
    with town.work.read() as unit:
        books = books_of(unit, unit.cards.purse(chip.purse))
    assert (books.base_ctr, sorted(books.settled_voids)) == (base, settled)
    assert books.held_back == held_back


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


def burnt_void(town: Town, *, sale_told: bool = True) -> tuple[Chip, Till, Till]:
    """A sale of 7 euro, 5 of them voided; then the till burns, and another shop reads the card."""
    chip, till, other = town.chip_with(5_000), town.till(), town.till(town.other_shop)
    sale = till.sell(chip, 700)
    if sale_told:
        till.sync()
    till.debit(chip, till.begin(chip, 500, voided=Seq(sale - 1)))
    other.prove(chip, 1, 2)
    other.sync()
    check_laws(town)
    check_export(town)
    return chip, till, other


def burn(town: Town, till: Till) -> None:
    town.clock.seconds += 60
    LossOffice(town.work, town.clock).record(
        till.number, town.clock.seconds, act="Incendio", requested_by=LOADER, approved_by=APPROVER
    )


@pytest.mark.parametrize(
    ("decision", "on_card", "owed"), [(Decision.RELEASE, 4_800, 200), (Decision.PAY, 4_300, 700)]
)
def test_a_void_of_which_only_the_card_tells_waits_for_two_people(
    town: Town, decision: Decision, on_card: int, owed: int
) -> None:
    _, till, _ = burnt_void(town)
    (case,) = CaseOffice(town.work, town.clock).waiting()
    assert (case.code, case.cents) == ("SALE_ENTRY_MISSING", 500)
    assert (held(town)["on_card"], payable(town, town.shop)) == (4_300, 200)
    burn(town, till)
    with pytest.raises(ConflictError, match="CASE_TOO_EARLY"):
        decide(town, decision)
    town.clock.seconds += WINDOW
    assert decide(town, decision) == 500
    check_export(town)
    assert (held(town)["on_card"], payable(town, town.shop)) == (on_card, owed)
    assert settle(town) == owed
    check_export(town)


def test_a_void_that_its_till_tells_late_after_all_needs_nobody(town: Town) -> None:
    chip, till, _ = burnt_void(town)
    till.commit(chip, Seq(len(till.journal)), kind=EntryType.VOID)
    till.sync()
    assert CaseOffice(town.work, town.clock).waiting() == []
    assert (held(town)["on_card"], payable(town, town.shop)) == (4_800, 200)
    check_laws(town)
    check_export(town)


def test_sale_and_void_of_a_till_that_burnt_are_decided_one_after_the_other(town: Town) -> None:
    _, till, _ = burnt_void(town, sale_told=False)
    burn(town, till)
    town.clock.seconds += WINDOW
    assert decide(town, Decision.PAY) == 700
    check_export(town)
    (case,) = CaseOffice(town.work, town.clock).waiting()
    assert case.cents == 500
    town.clock.seconds += WINDOW
    assert decide(town, Decision.RELEASE, case=case.number) == 500
    assert (held(town)["on_card"], payable(town, town.shop)) == (4_800, 200)
    check_export(town)


def test_a_void_that_only_holds_money_back_is_listed_and_holds_up_no_other_sale(
    town: Town,
) -> None:
    chip, till = town.chip_with(5_000), town.till()
    till.sell(chip, 300)
    town.clock.seconds += 60
    sale = till.sell(chip, 900)
    till.void(chip, sale, 200, tc=False)
    assert settle(town, till) == 300
    (batch,) = SettlementService(town.work, town.clock).batches()
    lines = [(line.cents, line.reason) for line in batch.lines]
    assert lines == [(300, ""), (900, "LINE_POT_SHORT"), (-200, "LINE_UNPROVEN")]
    check_laws(town)
    check_export(town)


def test_what_people_give_back_of_a_sale_that_exposure_paid_goes_back_to_whoever_bore_it(
    town: Town,
) -> None:
    """The till burnt after both, the wallet was given up meanwhile: only the card tells."""
    town.valid_to = day_number(date(2026, 9, 30))
    chip, till, other = town.chip_with(5_000), town.till(), town.till(town.other_shop)
    till.void(chip, till.sell(chip, 328), 328)
    town.clock.seconds = day_end(date(2026, 9, 30)) + 16 * DAY
    lose(town, till.number, town.clock.seconds)
    for step in (other.heartbeat, other.sync, DayEnd(town.work, town.clock).close_day):
        step()
    assert "on_card" not in held(town)
    fund = held(town)["fund"]
    other.prove(chip, 1)
    other.sync()
    other.prove(chip, 2)
    other.sync()
    town.clock.seconds += WINDOW + DAY
    sale, _void = postings(town, chip)
    assert sale.case_id is not None
    decide(town, Decision.PAY, Cover.FUND, case=sale.case_id)
    (void,) = CaseOffice(town.work, town.clock).waiting()
    town.clock.seconds += WINDOW + DAY
    decide(town, Decision.RELEASE, case=void.number)
    assert held(town)["fund"] == fund
    assert payable(town, town.shop) == 0
    check_laws(town)
    check_export(town)


def test_a_void_that_its_till_denied_takes_no_shops_money_when_it_comes_to_the_card_later(
    town: Town,
) -> None:
    chip, till, other = town.chip_with(5_000), town.till(), town.till(town.other_shop)
    sale = till.sell(chip, 800)
    seq = till.begin(chip, 800, voided=Seq(sale - 1))
    record = till.debit(chip, seq)
    chip.records.remove(record)
    till.not_applied(chip, seq)
    till.sync()
    assert payable(town, town.shop) == 800
    chip.write(record)
    other.sell(chip, 100)
    other.sync()
    assert (payable(town, town.shop), held(town)["suspense"]) == (0, 800)
    assert [case.cents for case in CaseOffice(town.work, town.clock).waiting()] == [800]
    check_laws(town)
    check_export(town)
