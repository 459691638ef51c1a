"""Lines held back by a review, with real sales: the books, and what an auditor makes of them."""

import pytest

from backend.domain.cases import Decision
from backend.domain.review import Rule
from backend.domain.settlement import LineState, Period
from backend.services.cases.office import CaseOffice
from backend.services.refunds.refund_orders import RefundDesk
from backend.services.settlement.batches import SettlementService
from backend.services.settlement.reviews import ReviewOffice
from backend.services.settlement.views import Batch
from simulator.card.randomness import SeededRandomness
from tests.integration.backend.books import check_export, check_laws, held, payable
from tests.integration.backend.builders import APPROVER, LOADER, START, Chip, Till, Town
from tests.integration.backend.test_cases import decide


def reviewed(town: Town, *tills: Till) -> tuple[ReviewOffice, Batch]:
    """The shop's batch, under review with every line in the sample."""
    town.clock.seconds += 10
    for till in tills:
        till.heartbeat()
        till.sync()
    office = ReviewOffice(town.work, town.clock, SeededRandomness("review"))
    rule = Rule(0, 1000)
    office.set_band(town.municipality, rule, act="DG 1", requested_by=LOADER, approved_by=APPROVER)
    period = Period(START - 86_400, town.clock.seconds - 5)
    settlement = SettlementService(town.work, town.clock)
    batch = settlement.draw_up(town.municipality, town.shop, period, LOADER)
    office.send(batch.id, LOADER)
    return office, office.begin(batch.id, APPROVER)


def shop_with_two_sales(town: Town) -> tuple[Chip, Till]:
    chip, till = town.chip_with(5_000), town.till()
    till.sell(chip, 700)
    till.sell(chip, 300)
    till.sync()
    return chip, till


@pytest.mark.parametrize("to", [LineState.POSTPONED, LineState.SUSPENDED, LineState.REJECTED])
def test_an_auditor_finds_nothing_wrong_with_a_line_held_back(town: Town, to: LineState) -> None:
    chip, till = shop_with_two_sales(town)
    office, batch = reviewed(town, till)
    office.hold(batch.id, batch.lines[0].id, to, "wine", APPROVER)
    office.accept(batch.id, [], APPROVER)
    check_laws(town)
    check_export(town)
    SettlementService(town.work, town.clock).approve(batch.id, APPROVER)
    till.sell(chip, 200)
    till.sync()
    assert held(town)["in_payment"] == 300
    check_laws(town)
    check_export(town)


def test_an_auditor_finds_nothing_wrong_with_a_period_that_was_drawn_up_again(town: Town) -> None:
    _, till = shop_with_two_sales(town)
    office, batch = reviewed(town, till)
    settlement = SettlementService(town.work, town.clock)
    settlement.turn_down(batch.id, APPROVER)
    period = batch.period
    again = settlement.draw_up(town.municipality, town.shop, period, LOADER)
    assert (again.total_cents, held(town)["in_payment"]) == (1_000, 1_000)
    office.send(again.id, LOADER)
    office.begin(again.id, APPROVER)
    office.accept(again.id, [], APPROVER)
    settlement.approve(again.id, APPROVER)
    check_laws(town)
    check_export(town)


@pytest.mark.parametrize("to", [LineState.SUSPENDED, LineState.REJECTED])
@pytest.mark.parametrize("decision", [None, Decision.PAY, Decision.REFUND])
def test_an_auditor_finds_nothing_wrong_with_a_line_that_only_the_second_batch_holds_back(
    town: Town, to: LineState, decision: Decision | None
) -> None:
    """The first one, turned down, had the sale among what it was to pay."""
    _, till = shop_with_two_sales(town)
    office, batch = reviewed(town, till)
    settlement = SettlementService(town.work, town.clock)
    settlement.turn_down(batch.id, APPROVER)
    again = settlement.draw_up(town.municipality, town.shop, batch.period, LOADER)
    office.send(again.id, LOADER)
    office.hold(office.begin(again.id, APPROVER).id, again.lines[0].id, to, "wine", APPROVER)
    check_export(town)
    if decision is not None:
        decide(town, decision)
    check_laws(town)
    check_export(town)


def test_no_later_sale_of_the_card_pays_what_a_person_suspended(town: Town) -> None:
    chip, till = shop_with_two_sales(town)
    office, batch = reviewed(town, till)
    office.hold(batch.id, batch.lines[1].id, LineState.SUSPENDED, "wine", APPROVER)
    till.sell(chip, 200)
    till.prove(chip, 1, 2)
    till.sync()
    assert held(town)["suspense"] == 300
    assert payable(town, town.shop) == 200
    check_laws(town)


def test_a_rejected_sale_goes_back_to_the_purse(town: Town) -> None:
    chip, till = shop_with_two_sales(town)
    office, batch = reviewed(town, till)
    office.hold(batch.id, batch.lines[0].id, LineState.REJECTED, "wine", APPROVER)
    decide(town, Decision.REFUND)
    desk = RefundDesk(town.work, town.clock)
    (order,) = desk.order(till.number, 2, requested_by=LOADER, approved_by=APPROVER)
    town.confirm(town.sign(chip, order))
    assert held(town)["on_card"] == chip.balance() == 4_700
    check_laws(town)
    check_export(town)


@pytest.mark.parametrize("given_back", [False, True])
def test_a_sale_that_its_card_proved_late_may_be_suspended_and_is_decided_anew(
    town: Town, given_back: bool
) -> None:
    """Its first case was closed by the proof, or by people before the card said otherwise."""
    chip, till = town.chip_with(5_000), town.till()
    till.sell(chip, 700, tc=False)
    till.sync()
    if given_back:
        decide(town, Decision.RELEASE)
    till.prove(chip, 1)
    till.sync()
    office, batch = reviewed(town, till)
    office.hold(batch.id, batch.lines[0].id, LineState.SUSPENDED, "wine", APPROVER)
    (case,) = CaseOffice(town.work, town.clock).waiting()
    assert (case.code, case.cents) == ("LINE_SUSPENDED", 700)
    assert case.opened_at == town.clock.seconds
    check_export(town)
    decide(town, Decision.PAY, case=case.number)
    check_laws(town)
    check_export(town)


def test_a_void_of_a_suspended_sale_gives_the_wallet_its_money(town: Town) -> None:
    """The card is the truth: what it took back is no longer the case's to decide."""
    chip, till = town.chip_with(5_000), town.till()
    sale = till.sell(chip, 700)
    till.sync()
    office, batch = reviewed(town, till)
    office.hold(batch.id, batch.lines[0].id, LineState.SUSPENDED, "wine", APPROVER)
    till.void(chip, sale, 700)
    till.sync()
    assert held(town)["on_card"] == chip.balance() == 5_000
    assert "suspense" not in held(town)
    check_laws(town)
    check_export(town)
    assert decide(town, Decision.DONE) == 0


def test_of_a_suspended_sale_that_was_voided_in_part_the_rest_is_decided(town: Town) -> None:
    chip, till = town.chip_with(5_000), town.till()
    sale = till.sell(chip, 700)
    till.sync()
    office, batch = reviewed(town, till)
    office.hold(batch.id, batch.lines[0].id, LineState.SUSPENDED, "wine", APPROVER)
    till.void(chip, sale, 200)
    till.sync()
    assert decide(town, Decision.PAY) == 500
    assert payable(town, town.shop) == 500
    assert "suspense" not in held(town)
    check_laws(town)
    check_export(town)


def test_a_line_held_back_after_a_failed_batch_is_paid_by_the_third(town: Town) -> None:
    """Only the line that pays in the end names the one that failed."""
    _, till = shop_with_two_sales(town)
    office, first = reviewed(town, till)
    settlement = SettlementService(town.work, town.clock)
    settlement.turn_down(first.id, APPROVER)
    batches = []
    for _ in range(2):
        start = town.clock.seconds - 5
        town.clock.seconds += 10
        till.heartbeat()
        till.sync()
        period = Period(start, town.clock.seconds - 5)
        batches.append(settlement.draw_up(town.municipality, town.shop, period, LOADER))
        office.send(batches[-1].id, LOADER)
        under_review = office.begin(batches[-1].id, APPROVER)
        if len(batches) == 1:
            line = under_review.lines[0]
            office.hold(batches[0].id, line.id, LineState.POSTPONED, "wine", APPROVER)
        office.accept(batches[-1].id, [], APPROVER)
        settlement.approve(batches[-1].id, APPROVER)
    (paid,) = batches[1].lines
    assert paid.replaces == first.lines[0].id
    assert held(town)["in_payment"] == 1_000
    check_export(town)
