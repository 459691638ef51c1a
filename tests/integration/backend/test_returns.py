"""Goods that come back after the day's close: what the merchant owes, what the purse gets."""

import pytest

from backend.adapters.pain001 import Debtor
from backend.domain.cases import Decision
from backend.domain.settlement import Period
from backend.errors import BadInputError, ConflictError, NotPermittedError, UnknownError
from backend.services.refunds.returns import AgreedReturn, ReturnDesk
from backend.services.settlement.batches import SettlementService
from backend.services.settlement.outcomes import OutcomeService
from backend.services.settlement.views import Batch
from backend.services.wallets import grants
from cardlib.wire.money import Money
from tests.integration.backend.books import alarms, check_export, check_laws, held, payable
from tests.integration.backend.builders import APPROVER, LOADER, START, Chip, Till, Town
from tests.integration.backend.test_cases import decide, unproven

SALE = 2
"""Number of the first sale of a till's journal."""
DAY = 86_400


def agree(town: Town, till: Till, cents: int, act: str = "slip 1", seq: int = SALE) -> AgreedReturn:
    desk = ReturnDesk(town.work, town.clock)
    (agreed,) = desk.agree(
        till.number, seq, Money(cents), act=act, requested_by=LOADER, approved_by=APPROVER
    )
    return agreed


def shop(town: Town, *sales: int) -> tuple[Chip, Till]:
    chip, till = town.chip_with(5_000), town.till()
    for cents in sales:
        till.sell(chip, cents)
    till.sync()
    return chip, till


def draw_up(town: Town, till: Till) -> Batch:
    """The shop's batch from where the last one ended."""
    service = SettlementService(town.work, town.clock)
    begin = max((batch.period.end for batch in service.batches()), default=START - DAY)
    town.clock.seconds += 10
    till.heartbeat()
    till.sync()
    period = Period(begin, town.clock.seconds - 5)
    return service.draw_up(town.municipality, town.shop, period, LOADER)


def pay(town: Town, till: Till) -> Batch:
    batch, service = draw_up(town, till), SettlementService(town.work, town.clock)
    service.approve(batch.id, APPROVER)
    service.order_payments([batch.id], Debtor("Comune", "IT13S0542811101000000123457"))
    with town.work.begin() as unit:
        (payment,) = unit.settlement.payments(batch.id)
    euros = f"{batch.total_cents // 100},{batch.total_cents % 100:02d}"
    content = (
        f"id pagamento;importo;esito;data\n{payment.end_to_end_id};{euros};pagato;02/04/2026\n"
    )
    assert OutcomeService(town.work, town.clock).import_file("x", content.encode(), LOADER).accepted
    return batch


def load(town: Town, chip: Chip, agreed: AgreedReturn) -> None:
    assert agreed.order is not None
    town.confirm(town.sign(chip, agreed.order))


def test_a_return_before_the_payment_is_netted_and_goes_to_the_purse(town: Town) -> None:
    chip, till = shop(town, 700, 300)
    agreed = agree(town, till, 200)
    assert (payable(town, town.shop), held(town)["refund_due"]) == (800, 200)
    check_export(town)
    load(town, chip, agreed)
    assert held(town)["on_card"] == chip.balance() == 4_200
    batch = draw_up(town, till)
    assert {(line.cents, line.goods_return) for line in batch.lines} == {
        (700, None), (300, None), (-200, agreed.number),
    }  # fmt: skip
    assert batch.total_cents == 800
    check_laws(town)
    check_export(town)


def test_a_return_after_the_payment_is_taken_off_the_next_batch(town: Town) -> None:
    chip, till = shop(town, 700)
    first = pay(town, till)
    agreed = agree(town, till, 200)
    assert payable(town, town.shop) == -200
    till.sell(chip, 1_000)
    batch = draw_up(town, till)
    assert (first.total_cents, batch.total_cents) == (700, 800)
    (known,) = ReturnDesk(town.work, town.clock).listed()
    assert (known.number, known.netted_in) == (agreed.number, batch.id)
    with pytest.raises(ConflictError, match="RETURN_NETTED"):
        ReturnDesk(town.work, town.clock).repaid(agreed.number, "TRN 1", LOADER)
    check_laws(town)
    check_export(town)


def test_a_batch_turned_down_leaves_the_return_for_the_next(town: Town) -> None:
    _, till = shop(town, 700)
    agree(town, till, 200)
    first = draw_up(town, till)
    SettlementService(town.work, town.clock).turn_down(first.id, APPROVER)
    second = draw_up(town, till)
    assert {(line.cents, line.replaces) for line in second.lines} == {
        (line.cents, line.id) for line in first.lines
    }
    check_export(town)


def test_a_merchant_may_send_the_money_back_instead(town: Town) -> None:
    chip, till = shop(town, 700)
    desk = ReturnDesk(town.work, town.clock)
    early = agree(town, till, 100, "slip 1")
    with pytest.raises(ConflictError, match="RETURN_NOT_PAID"):
        desk.repaid(early.number, "TRN 1", LOADER)
    pay(town, till)
    late = agree(town, till, 200, "slip 2")
    with pytest.raises(ConflictError, match="RETURN_NETTED"):
        desk.repaid(early.number, "TRN 1", LOADER)
    repaid = desk.repaid(late.number, "TRN 2", LOADER)
    assert repaid == desk.repaid(late.number, "TRN 2", LOADER)
    with pytest.raises(ConflictError, match="RETURN_REPAID_BEFORE"):
        desk.repaid(late.number, "TRN 3", LOADER)
    assert "payable" not in held(town)
    assert held(town)["paid"] == 400
    till.sell(chip, 1_000)
    assert draw_up(town, till).total_cents == 1_000
    check_laws(town)
    check_export(town)


def test_no_more_comes_back_than_was_sold_and_one_act_once(town: Town) -> None:
    _, till = shop(town, 700)
    first = agree(town, till, 500)
    assert agree(town, till, 500) == first
    with pytest.raises(ConflictError, match="RETURN_OTHER_AMOUNT"):
        agree(town, till, 200)
    with pytest.raises(ConflictError, match="RETURN_ABOVE_SALE") as refused:
        agree(town, till, 201, "slip 2")
    assert refused.value.facts["cents"] == 200
    agree(town, till, 200, "slip 2")
    with pytest.raises(ConflictError, match="RETURN_NOT_OWED"):
        agree(town, till, 1, "slip 3")
    with pytest.raises(BadInputError, match="AMOUNT_BAD"):
        agree(town, till, 0, "slip 4")
    with pytest.raises(UnknownError, match="SALE_NOT_FOUND"):
        agree(town, till, 1, "slip 5", seq=77)
    assert held(town)["refund_due"] == 700
    check_laws(town)
    check_export(town)


def test_one_person_agrees_no_return(town: Town) -> None:
    _, till = shop(town, 700)
    with pytest.raises(NotPermittedError, match="SAME_PERSON"):
        ReturnDesk(town.work, town.clock).agree(
            till.number, SALE, Money(1), act="x", requested_by="Ada", approved_by=" ada"
        )


def test_what_a_void_took_back_does_not_come_back_again(town: Town) -> None:
    chip, till = town.chip_with(5_000), town.till()
    sale = till.sell(chip, 700)
    till.void(chip, sale, 600)
    till.sync()
    with pytest.raises(ConflictError, match="RETURN_ABOVE_SALE") as refused:
        agree(town, till, 101)
    assert refused.value.facts["cents"] == 100


def test_a_void_after_a_return_is_the_cards_truth_and_raises_an_alarm(town: Town) -> None:
    chip, till = town.chip_with(5_000), town.till()
    sale = till.sell(chip, 700)
    till.sync()
    agree(town, till, 300)
    till.void(chip, sale, 700)
    till.sync()
    assert "VOID_AFTER_RETURN" in alarms(town)
    assert held(town)["on_card"] == chip.balance() == 5_000
    assert payable(town, town.shop) == -300
    check_laws(town)


def test_a_return_waits_with_its_sale(town: Town) -> None:
    """The sale is proven, but an earlier record of its card is missing."""
    chip, till, silent = town.chip_with(5_000), town.till(), town.till(town.other_shop)
    till.sell(chip, 100)
    for cents in (50, 60):
        silent.sell(chip, cents)
    till.sell(chip, 700)
    till.prove(chip, 2)
    till.sync()
    agree(town, till, 200, seq=4)
    batch = draw_up(town, till)
    assert {(line.cents, line.reason) for line in batch.lines} == {
        (100, ""), (700, "LINE_CHAIN_OPEN"), (-200, "LINE_CHAIN_OPEN"),
    }  # fmt: skip
    check_laws(town)


def test_a_case_of_a_sale_with_a_return_is_not_refunded(town: Town) -> None:
    _, till = unproven(town)
    decide(town, Decision.PAY)
    agree(town, till, 200)
    check_laws(town)
    with pytest.raises(ConflictError, match="RETURN_ABOVE_SALE"):
        agree(town, till, 501, "slip 2")


def test_a_return_whose_order_is_void_is_ordered_again_and_granted_once(town: Town) -> None:
    chip, till = shop(town, 700)
    agreed, desk = agree(town, till, 200), ReturnDesk(town.work, town.clock)
    with pytest.raises(ConflictError, match="REFUND_NOTHING_DUE"):
        desk.order_again(agreed.number, requested_by=LOADER, approved_by=APPROVER)
    assert agreed.order is not None
    before = dict(chip.grants)
    signed = town.sign(chip, agreed.order)
    chip.grants |= before  # it never reached the card
    with town.work.begin() as unit:
        grants.void(unit, unit.cards.grants_of_order(signed.order_id)[0], town.clock.seconds)
        unit.commit()
    again = desk.order_again(agreed.number, requested_by=LOADER, approved_by=APPROVER)
    assert again.order != agreed.order
    load(town, chip, again)
    assert held(town)["on_card"] == chip.balance() == 4_500
    assert "refund_due" not in held(town)
    check_laws(town)
    check_export(town)
