"""Wallets after their last day: late sales, the claim window, what is given up (PROTOCOL 7)."""

from dataclasses import replace
from datetime import date

import pytest

from backend.adapters.tables.cards import LoadOrderRow
from backend.services.administration.day_end import DayEnd, DayReport
from cardlib.calendar import day_end
from cardlib.codec.purse import day_number
from cardlib.wire.entry_header import EntryType
from tests.integration.backend.books import check_export, check_laws, held, payable, postings
from tests.integration.backend.builders import APPROVER, LOADER, Chip, Till, Town

LAST_DAY = date(2026, 9, 30)
MIDNIGHT = day_end(LAST_DAY)
DAY = 86_400
WINDOW = 15 * DAY


@pytest.fixture
def chip(town: Town) -> Chip:
    town.valid_to = day_number(LAST_DAY)
    return town.chip_with(5_000)


@pytest.fixture
def till(town: Town) -> Till:
    return town.till()


def close_day(town: Town) -> DayReport:
    report = DayEnd(town.work, town.clock).close_day()
    check_laws(town)
    return report


def report_in(*tills: Till) -> None:
    for till in tills:
        till.heartbeat()
        till.sync()


def test_a_wallet_expires_at_midnight_and_not_a_second_before(town: Town, chip: Chip) -> None:
    town.clock.seconds = MIDNIGHT - 1
    assert close_day(town).expired == 0
    town.clock.seconds = MIDNIGHT
    assert close_day(town) == DayReport(expired=1, expired_cents=5_000)
    assert held(town)["expired_pending"] == 5_000
    assert "on_card" not in held(town)


def test_closing_a_day_twice_or_late_changes_nothing_more(town: Town, chip: Chip) -> None:
    town.clock.seconds = MIDNIGHT + 3 * DAY
    assert close_day(town).expired_cents == 5_000
    before = held(town)
    assert close_day(town) == DayReport()
    assert held(town) == before


def test_a_late_sale_takes_expired_money_and_is_paid(town: Town, chip: Chip, till: Till) -> None:
    till.sell(chip, 700)
    town.clock.seconds = MIDNIGHT + DAY
    close_day(town)
    till.sync()
    assert payable(town, town.shop) == 700
    assert held(town)["expired_pending"] == 4_300


def test_what_is_left_goes_back_to_the_fund_after_window_and_mark(
    town: Town, chip: Chip, till: Till
) -> None:
    fund = held(town)["fund"]
    town.clock.seconds = MIDNIGHT + DAY
    close_day(town)
    report_in(till)
    assert close_day(town).given_up == 0  # the claim window runs
    town.clock.seconds = MIDNIGHT + WINDOW + DAY
    assert close_day(town) == DayReport(given_up=1, given_up_cents=5_000)
    assert held(town)["fund"] == fund + 5_000
    assert close_day(town) == DayReport()


def test_a_silent_till_holds_back_what_it_may_still_tell(town: Town, chip: Chip) -> None:
    till, silent = town.till(), town.till(town.other_shop)
    town.clock.seconds = MIDNIGHT + WINDOW + DAY
    report_in(till)
    assert close_day(town) == DayReport(expired=1, expired_cents=5_000)
    report_in(silent)
    assert close_day(town).given_up_cents == 5_000


def test_the_window_is_the_towns_own(town: Town, chip: Chip, till: Till) -> None:
    with town.work.begin() as unit:
        town.purse_row(unit, chip).municipality.claim_window_days = 30
        unit.commit()
    town.clock.seconds = MIDNIGHT + 30 * DAY
    report_in(till)
    assert close_day(town).given_up == 0
    town.clock.seconds += DAY
    assert close_day(town).given_up == 1


def test_a_sale_that_is_proven_after_all_is_over_waits_for_a_person(
    town: Town, chip: Chip, till: Till
) -> None:
    other = town.till(town.other_shop)
    seq = till.begin(chip, 700)
    till.debit(chip, seq)
    till.unresolved(seq)
    till.sync()
    town.clock.seconds = MIDNIGHT + WINDOW + DAY
    report_in(till, other)
    assert close_day(town).given_up_cents == 5_000
    other.prove(chip, 1)
    other.sync()
    till.commit(chip, seq)
    till.sync()
    check_laws(town)
    (posting,) = postings(town, chip)
    assert (posting.state, posting.reason) == ("proven", "SALE_EXPIRED")
    assert (held(town)["exposure"], held(town)["suspense"]) == (-700, 700)
    assert payable(town, town.shop) == 0


def test_a_sale_disproved_late_expires_too(town: Town, chip: Chip) -> None:
    till, other = town.till(), town.till(town.other_shop)
    twin = chip.twin()
    till.sell(twin, 700, tc=False)
    till.sync()
    town.clock.seconds = MIDNIGHT + DAY
    close_day(town)
    other.sell(chip, 300)
    other.sync()
    check_laws(town)
    assert "on_card" not in held(town)
    assert held(town)["expired_pending"] == 4_700


def test_a_new_grant_takes_expired_money_back(town: Town, chip: Chip, till: Till) -> None:
    town.clock.seconds = MIDNIGHT + DAY
    close_day(town)
    town.valid_to = day_number(date(2026, 12, 31))
    town.load(chip, 1_000)
    check_laws(town)
    assert held(town)["on_card"] == 6_000
    till.sell(chip, 5_500)
    till.sync()
    assert payable(town, town.shop) == 5_500
    town.clock.seconds = MIDNIGHT + WINDOW + DAY
    report_in(till)
    assert close_day(town) == DayReport()


def test_a_new_grant_brings_nothing_back_that_was_given_up(
    town: Town, chip: Chip, till: Till
) -> None:
    seq = till.begin(chip, 700)
    till.debit(chip, seq)
    till.unresolved(seq)
    town.clock.seconds = MIDNIGHT + WINDOW + DAY
    report_in(till)
    close_day(town)
    town.valid_to = day_number(date(2026, 12, 31))
    town.load(chip, 1_000)
    check_laws(town)
    assert chip.balance() == held(town)["on_card"] == 1_000


def test_a_card_renewed_when_its_wallet_was_given_up_still_owes_what_nobody_told_of(
    town: Town, chip: Chip, till: Till
) -> None:
    """The same money signed anew for 0 cents: the auditor counts the expiry before it."""
    seq = till.begin(chip, 700)
    till.debit(chip, seq)
    till.unresolved(seq)
    town.clock.seconds = MIDNIGHT + WINDOW + DAY
    report_in(till)
    close_day(town)
    town.confirm(town.sign(chip, sign_anew(town, chip)))
    check_laws(town)
    check_export(town)
    assert chip.balance() == 0
    assert "on_card" not in held(town)
    till.commit(chip, seq, kind=EntryType.RECOVERED)
    till.sync()
    check_laws(town)
    check_export(town)
    assert (held(town)["exposure"], held(town)["suspense"]) == (-700, 700)


def sign_anew(town: Town, chip: Chip) -> int:
    """An order as a change of keys makes it: the wallet as it is, of the same award."""
    chip.info = replace(chip.info, key_set=chip.info.key_set + 1)
    with town.work.begin() as unit:
        town.purse_row(unit, chip).info_core = chip.info.core
        (earlier,) = unit.cards.orders_of(town.purse_row(unit, chip).id, "on_card")
        order = LoadOrderRow(
            purse_id=earlier.purse_id, slot=earlier.slot, programme_id=earlier.programme_id,
            funding_source_id=earlier.funding_source_id, award_id=earlier.award_id,
            source=earlier.source, source_id=earlier.source_id, delta_cents=0, requested_by=LOADER,
            approved_by=APPROVER, approved_at=town.clock.seconds, state="loading",
        )  # fmt: skip
        unit.add(order)
        unit.commit()
        return order.id


def test_a_grant_on_its_way_keeps_the_wallet(town: Town, chip: Chip, till: Till) -> None:
    town.valid_to = day_number(date(2026, 12, 31))
    grant = town.sign(chip, town.order(chip, 1_000))
    town.clock.seconds = MIDNIGHT + WINDOW + DAY
    report_in(till)
    assert close_day(town).given_up == 0
    town.confirm(grant)
    check_laws(town)
    assert held(town)["on_card"] == 6_000
