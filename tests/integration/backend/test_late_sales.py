"""What a merchant may try with time, and what waits for a lost card's money meanwhile."""

from datetime import date

import pytest

from backend.domain.ledger import AccountKind
from backend.services.administration.day_end import DayEnd
from backend.services.administration.programmes import NewProgramme
from backend.services.terminals.bundles import STOP_DAYS
from backend.services.wallets.lost_cards import CardOffice
from cardlib.calendar import day_at, day_end
from cardlib.codec.purse import day_number
from cardlib.wire.money import Money
from tests.integration.backend.books import alarms, check_laws, held, payable, postings
from tests.integration.backend.builders import APPROVER, LOADER, START, Chip, Till, Town

DAY = 86_400


@pytest.fixture
def office(town: Town) -> CardOffice:
    return CardOffice(town.work, town.clock)


def replace(office: CardOffice, old: Chip, new: Chip) -> list[int]:
    return office.replace(old.purse, new.purse, requested_by=LOADER, approved_by=APPROVER)


def everything_told(town: Town, *tills: Till) -> None:
    town.clock.seconds += 10
    for till in tills:
        till.heartbeat()
        till.sync()


def waiting(town: Town, chip: Chip) -> list[int]:
    with town.work.read() as unit:
        purse = unit.cards.purse(chip.purse)
        return [order.delta_cents for order in unit.cards.orders_of(purse.id, "approved")]


@pytest.mark.parametrize(("late_s", "paid"), [(-1, True), (1800, True), (3600, False)])
def test_what_was_sold_after_the_last_day_waits_for_a_person(
    town: Town, late_s: int, paid: bool
) -> None:
    town.valid_to = day_number(day_at(START))
    till, chip = town.till(), town.chip_with(5_000)
    town.clock.seconds = day_end(day_at(START)) + late_s
    till.sell(chip, 5_000)
    till.sync()
    assert payable(town, town.shop) == (5_000 if paid else 0)
    assert postings(town, chip)[0].reason == ("" if paid else "SALE_AFTER_LAST_DAY")


@pytest.mark.parametrize(("days", "paid"), [(STOP_DAYS, True), (STOP_DAYS + 1, False)])
def test_a_replaced_card_is_paid_until_every_till_has_stopped(
    town: Town, office: CardOffice, days: int, paid: bool
) -> None:
    till, chip, new = town.till(), town.chip_with(5_000), town.new_chip()
    office.block(chip.purse, "CARD_LOST", by=LOADER)
    everything_told(town, till)
    for order in replace(office, chip, new):
        town.confirm(town.sign(new, order))
    town.clock.seconds = START + days * DAY
    till.sell(chip, 5_000)
    till.sync()
    assert payable(town, town.shop) == (5_000 if paid else 0)
    assert held(town).get("suspense", 0) == (0 if paid else 5_000)
    assert ("SALE_ON_REPLACED_CARD" in alarms(town)) is paid


def test_the_rest_of_a_card_goes_to_the_last_of_its_replacements(
    town: Town, office: CardOffice
) -> None:
    till, chip, second, third = town.till(), town.chip_with(5_000), town.new_chip(), town.new_chip()
    town.clock.seconds += 10
    office.block(chip.purse, "CARD_LOST", by=LOADER)
    assert replace(office, chip, second) == []
    office.block(second.purse, "CARD_LOST", by=LOADER)
    replace(office, second, third)
    everything_told(town, till)
    DayEnd(town.work, town.clock).close_day()
    assert (waiting(town, second), waiting(town, third)) == ([], [5_000])


def second_programme(town: Town) -> int:
    other = town.office.create_programme(
        "015146", NewProgramme(2, "Buoni libri", (0,), date(2026, 1, 1), date(2026, 12, 31))
    )
    town.office.fund(other, "Stato", Money(10_000), act="DGC 2", by=LOADER)
    return other


def order_of(town: Town, programme: int, chip: Chip) -> int:
    award = town.office.award(
        programme, "Stato", "family 1", Money(700), act="DD 2",
        requested_by=LOADER, approved_by=APPROVER,
    )  # fmt: skip
    return town.loads.approve(
        award, chip.purse, Money(700), requested_by=LOADER, approved_by=APPROVER
    )


def test_another_programme_does_not_take_the_slot_of_a_rest(town: Town, office: CardOffice) -> None:
    till, chip, new = town.till(), town.chip_with(5_000), town.new_chip()
    town.clock.seconds += 10
    office.block(chip.purse, "CARD_LOST", by=LOADER)
    replace(office, chip, new)
    order_of(town, second_programme(town), new)
    everything_told(town, till)
    assert DayEnd(town.work, town.clock).close_day().rests_ordered == 1
    assert sorted(waiting(town, new)) == [700, 5_000]


def test_a_slot_that_is_taken_stops_no_day_end(town: Town, office: CardOffice) -> None:
    till, chip, new = town.till(), town.chip_with(5_000), town.new_chip()
    town.clock.seconds += 10
    office.block(chip.purse, "CARD_LOST", by=LOADER)
    replace(office, chip, new)
    order = order_of(town, second_programme(town), new)
    with town.work.begin() as unit:
        unit.cards.order(order).slot = 1
        unit.commit()
    everything_told(town, till)
    assert DayEnd(town.work, town.clock).close_day().rests_ordered == 0
    assert "REPLACEMENT_SLOT_TAKEN" in alarms(town)
    assert held(town)[AccountKind.BLOCKED] == 5_000
    check_laws(town)
