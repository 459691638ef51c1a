"""A card is lost: blocked, found again, or replaced; late sales of it (PROTOCOL 7)."""

from datetime import date

import pytest

from backend.errors import ConflictError, NotPermittedError
from backend.services.administration.day_end import DayEnd
from backend.services.wallets.lost_cards import CardOffice
from cardlib.calendar import day_end
from cardlib.codec.purse import day_number
from tests.integration.backend.books import alarms, check_laws, held, payable
from tests.integration.backend.builders import APPROVER, LOADER, Chip, Till, Town

DAY = 86_400
STOP_DAYS = 20
"""After so many days without the server the last kind of till stops selling."""


@pytest.fixture
def office(town: Town) -> CardOffice:
    return CardOffice(town.work, town.clock)


def replace(town: Town, old: Chip, new: Chip) -> list[int]:
    office = CardOffice(town.work, town.clock)
    return office.replace(old.purse, new.purse, requested_by=LOADER, approved_by=APPROVER)


def report_in(*tills: Till) -> None:
    for till in tills:
        till.heartbeat()
        till.sync()


def load_all(town: Town, chip: Chip, orders: list[int]) -> None:
    for order in orders:
        town.confirm(town.sign(chip, order))


def waiting_orders(town: Town, chip: Chip) -> list[int]:
    with town.work.begin() as unit:
        purse = town.purse_row(unit, chip)
        return [order.id for order in unit.cards.orders_of(purse.id, "approved")]


def test_a_blocked_card_is_on_the_hotlist_and_its_money_set_aside(
    town: Town, office: CardOffice
) -> None:
    chip = town.chip_with(5_000)
    assert office.block(chip.purse, "CARD_LOST", by="Lina") == 1
    assert office.block(chip.purse, "CARD_STOLEN", by="Lina") == 1
    assert held(town)["blocked"] == 5_000
    with town.work.begin() as unit:
        purse = town.purse_row(unit, chip)
        assert (purse.state, purse.hotlist_code) == ("blocked", "CARD_LOST")
        assert purse.hotlisted_at == town.clock.seconds
    check_laws(town)


def test_a_late_sale_takes_blocked_money_and_is_paid(town: Town, office: CardOffice) -> None:
    chip, till = town.chip_with(5_000), town.till()
    till.sell(chip, 700)
    office.block(chip.purse, "CARD_LOST", by="Lina")
    till.sync()
    assert payable(town, town.shop) == 700
    assert held(town)["blocked"] == 4_300


def test_a_card_that_is_found_can_be_used_again(town: Town, office: CardOffice) -> None:
    chip, till = town.chip_with(5_000), town.till()
    office.block(chip.purse, "CARD_LOST", by="Lina")
    office.unblock(chip.purse, requested_by="Lina", approved_by="Aldo")
    assert held(town)["on_card"] == 5_000
    with town.work.begin() as unit:
        assert town.purse_row(unit, chip).hotlisted_at is None
    with pytest.raises(ConflictError, match="BLOCK_UNKNOWN"):
        office.unblock(chip.purse, requested_by="Lina", approved_by="Aldo")
    office.block(chip.purse, "CARD_LOST", by="Lina")
    with pytest.raises(NotPermittedError, match="SAME_PERSON"):
        office.unblock(chip.purse, requested_by="Lina", approved_by="lina ")
    office.unblock(chip.purse, requested_by="Lina", approved_by="Aldo")
    till.sell(chip, 700)
    till.sync()
    assert payable(town, town.shop) == 700
    office.block(chip.purse, "CARD_STOLEN", by="Lina")
    assert held(town)["blocked"] == 4_300


def test_a_forked_card_stays_on_the_hotlist_when_it_is_found(
    town: Town, office: CardOffice
) -> None:
    chip, till, other = town.chip_with(5_000), town.till(), town.till(town.other_shop)
    twin = chip.twin()
    till.sell(chip, 100)
    other.sell(twin, 200)
    report_in(till, other)
    office.block(chip.purse, "CARD_LOST", by="Lina")
    office.unblock(chip.purse, requested_by="Lina", approved_by="Aldo")
    with town.work.begin() as unit:
        assert town.purse_row(unit, chip).hotlist_code == "PURSE_FORKED"


def test_a_new_card_gets_what_no_late_sale_can_claim_and_the_rest_later(
    town: Town, office: CardOffice
) -> None:
    town.day_limit_eur = 1
    chip, till = town.chip_with(5_000), town.till()
    late = till.begin(chip, 1_500)
    till.debit(chip, late)
    till.commit(chip, late)
    town.clock.seconds += DAY
    office.block(chip.purse, "CARD_STOLEN", by="Lina")
    new = town.new_chip()
    load_all(town, new, replace(town, chip, new))
    reserve = 100 * (STOP_DAYS + 1)
    assert held(town)["blocked"] == reserve
    assert new.balance() == held(town)["on_card"] == 5_000 - reserve
    check_laws(town)
    till.sync()
    assert payable(town, town.shop) == 1_500
    assert DayEnd(town.work, town.clock).close_day().rests_ordered == 0
    town.clock.seconds += DAY
    report_in(till)
    assert DayEnd(town.work, town.clock).close_day().rests_ordered == 1
    assert DayEnd(town.work, town.clock).close_day().rests_ordered == 0
    load_all(town, new, waiting_orders(town, new))
    assert new.balance() == held(town)["on_card"] == 3_500
    assert "blocked" not in held(town)
    check_laws(town)


def test_without_a_day_limit_all_of_it_waits(town: Town, office: CardOffice) -> None:
    chip, new = town.chip_with(5_000), town.new_chip()
    town.till()
    town.clock.seconds += DAY
    office.block(chip.purse, "CARD_LOST", by="Lina")
    assert replace(town, chip, new) == []


def test_a_sale_beyond_the_reserve_is_paid_and_raises_an_alarm(
    town: Town, office: CardOffice
) -> None:
    town.day_limit_eur = 1
    chip, new, till = town.chip_with(5_000), town.new_chip(), town.till()
    town.clock.seconds += DAY
    office.block(chip.purse, "CARD_STOLEN", by="Lina")
    load_all(town, new, replace(town, chip, new))
    till.sell(chip, 4_000)
    till.sync()
    check_laws(town)
    assert payable(town, town.shop) == 4_000
    assert held(town)["exposure"] == -(4_000 - 100 * (STOP_DAYS + 1))
    assert "SALE_ON_REPLACED_CARD" in alarms(town)


def test_what_waited_for_the_lost_card_waits_for_the_new_one(
    town: Town, office: CardOffice
) -> None:
    chip, new = town.chip_with(5_000), town.new_chip()
    order = town.order(chip, 1_000)
    office.block(chip.purse, "CARD_LOST", by="Lina")
    orders = replace(town, chip, new)
    assert sorted([order, *orders]) == waiting_orders(town, new)
    load_all(town, new, waiting_orders(town, new))
    assert held(town)["on_card"] == 6_000


def test_a_replaced_card_is_not_found_again_nor_replaced_twice(
    town: Town, office: CardOffice
) -> None:
    chip, new = town.chip_with(5_000), town.new_chip()
    with pytest.raises(ConflictError, match="BLOCK_UNKNOWN"):
        replace(town, chip, new)
    office.block(chip.purse, "CARD_LOST", by="Lina")
    replace(town, chip, new)
    with pytest.raises(ConflictError, match="BLOCK_UNKNOWN"):
        office.unblock(chip.purse, requested_by="Lina", approved_by="Aldo")
    with pytest.raises(ConflictError, match="PURSE_REPLACED"):
        replace(town, chip, town.new_chip())


def test_a_blocked_wallet_expires_with_its_programme(town: Town, office: CardOffice) -> None:
    town.valid_to = day_number(date(2026, 9, 30))
    chip = town.chip_with(5_000)
    office.block(chip.purse, "CARD_LOST", by="Lina")
    town.clock.seconds = day_end(date(2026, 9, 30))
    DayEnd(town.work, town.clock).close_day()
    check_laws(town)
    assert held(town)["expired_pending"] == 5_000
    office.unblock(chip.purse, requested_by="Lina", approved_by="Aldo")
    assert held(town)["expired_pending"] == 5_000
