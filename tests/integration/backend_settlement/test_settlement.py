"""From posted sales to paid money: batches, approvals, payment orders, outcomes."""

import pytest

from backend.adapters.pain001 import Debtor
from backend.adapters.tables.terminals import MerchantRow
from backend.adapters.unit_of_work import DatabaseWork
from backend.domain.ledger import AccountKind
from backend.domain.outcomes import OutcomeState
from backend.domain.settlement import BatchState, Period
from backend.errors import BadInputError, ConflictError, NotPermittedError, UnknownError
from backend.services.administration.merchants import MerchantOffice
from backend.services.settlement.views import Batch
from cardlib.text import catalogue
from tests.integration.backend_settlement.conftest import (
    APRIL,
    DEBTOR,
    IBAN,
    MARCH,
    FixedClock,
    Town,
    new_terminal,
)

PAYABLE, IN_PAYMENT, PAID = AccountKind.PAYABLE, AccountKind.IN_PAYMENT, AccountKind.PAID


def draw_up(town: Town, period: Period = MARCH) -> Batch:
    return town.settlement.draw_up(1, 1, period, "anna")


def ordered(town: Town) -> tuple[Batch, bytes]:
    batch = town.settlement.approve(draw_up(town).id, "bruno")
    return batch, town.settlement.order_payments([batch.id], DEBTOR).content


def end_to_end_id(town: Town, batch: Batch) -> str:
    with town.work.begin() as unit:
        return unit.settlement.payments(batch.id)[0].end_to_end_id


def outcome(town: Town, batch: Batch, amount: str, state: str, extra: str = "") -> bytes:
    row = f"{end_to_end_id(town, batch)};{amount};{state};02/04/2026;{extra}\n"
    return b"\xef\xbb\xbfid pagamento;importo;esito;data;motivo\r\n" + row.encode()


def test_sales_of_a_month_are_paid(town: Town) -> None:
    town.sale(1250)
    town.sale(500)
    town.sale(-250)
    batch, content = ordered(town)
    assert b"<CtrlSum>15.00</CtrlSum>" in content
    assert IBAN.encode() in content
    assert (town.balance(PAYABLE), town.balance(IN_PAYMENT)) == (0, 1500)

    report = town.outcomes.import_file(
        "april.csv", outcome(town, batch, "15,00", "pagato"), "carla"
    )

    assert [item.state for item in report.new] == [OutcomeState.PAID]
    assert town.settlement.batch(batch.id).state is BatchState.PAID
    assert (town.balance(IN_PAYMENT), town.balance(PAID)) == (0, 1500)
    town.check_books()


def test_the_same_period_again_is_the_same_batch(town: Town) -> None:
    town.sale(1000)
    first = draw_up(town)
    assert is_batched(town, 1)
    town.sale(2000)
    assert draw_up(town) == first
    assert town.balance(IN_PAYMENT) == 1000


def test_what_came_late_is_paid_in_the_next_period(town: Town) -> None:
    town.sale(1000)
    draw_up(town)
    town.sale(300)
    town.clock.now, town_mark = APRIL.end + 60, APRIL.end
    set_mark(town, town_mark)
    assert [line.cents for line in draw_up(town, APRIL).lines] == [300]


def set_mark(town: Town, mark: int, number: int = 7, state: str = "active") -> None:
    """The till has reported so far, and it is no earlier than that."""
    town.clock.now = max(town.clock.now, mark)
    with town.work.begin() as unit:
        terminal = unit.terminals.terminal(number)
        terminal.mark, terminal.state = mark, state
        unit.commit()


def test_overlapping_periods_are_refused(town: Town) -> None:
    town.sale(1000)
    draw_up(town)
    with pytest.raises(ConflictError, match="PERIOD_OVERLAPS"):
        draw_up(town, Period(MARCH.start + 1, MARCH.end))


@pytest.mark.parametrize(
    ("sale", "reason"),
    [
        ({"state": "unproven", "reason": "SALE_UNPROVEN"}, "LINE_UNPROVEN"),
        ({"reason": "SALE_MERCHANT_NOT_ENABLED"}, "LINE_IN_SUSPENSE"),
        ({"amount_open": True}, "LINE_AMOUNT_OPEN"),
        ({"posted": False}, "LINE_CHAIN_OPEN"),
    ],
)
def test_what_is_uncertain_is_postponed_and_listed(
    town: Town, sale: dict[str, object], reason: str
) -> None:
    town.sale(1000)
    town.sale(700, **sale)  # type: ignore[arg-type]
    batch = draw_up(town)
    assert batch.total_cents == 1000
    assert [(line.cents, line.state, line.reason) for line in batch.lines] == [
        (1000, "included", ""), (700, "postponed", reason),
    ]  # fmt: skip
    town.check_books()


def test_a_postponed_sale_is_paid_once_it_is_certain(town: Town) -> None:
    town.sale(1000)
    open_sale = town.sale(700, amount_open=True)
    draw_up(town)
    with town.work.begin() as unit:
        unit.verdicts.posting(open_sale).amount_open = False
        unit.commit()
    set_mark(town, APRIL.end)
    assert draw_up(town, APRIL).total_cents == 700


def test_a_silent_till_keeps_the_period_open_and_a_lost_one_does_not(town: Town) -> None:
    town.sale(1000)
    with town.work.begin() as unit:
        unit.add(new_terminal(8, mark=MARCH.end - 1))
        unit.commit()
    with pytest.raises(ConflictError, match="PERIOD_OPEN") as refused:
        draw_up(town)
    assert refused.value.facts["terminals"] == "8"
    set_mark(town, 0, number=8, state="lost")
    assert draw_up(town).total_cents == 1000


def test_a_period_that_is_not_over_cannot_be_settled_whatever_a_till_says(town: Town) -> None:
    town.sale(1000)
    set_mark(town, APRIL.end)
    town.clock.now = APRIL.end - 1
    with pytest.raises(ConflictError, match="PERIOD_NOT_OVER"):
        draw_up(town, APRIL)
    town.clock.now = APRIL.end
    assert draw_up(town, APRIL).total_cents == 1000


def test_nothing_to_pay_makes_no_batch(town: Town) -> None:
    town.sale(1000)
    town.sale(-1000)
    with pytest.raises(ConflictError, match="BATCH_EMPTY"):
        draw_up(town)
    assert town.settlement.batches() == []


def test_who_draws_up_does_not_approve(town: Town) -> None:
    town.sale(1000)
    batch = draw_up(town)
    with pytest.raises(NotPermittedError, match="BATCH_SAME_PERSON"):
        town.settlement.approve(batch.id, "Anna")
    with pytest.raises(NotPermittedError, match="BATCH_SAME_PERSON"):
        town.settlement.turn_down(batch.id, "anna")
    assert town.settlement.batch(batch.id).state is BatchState.CREATED


def test_a_batch_is_drawn_up_and_approved_by_people_with_names(town: Town) -> None:
    town.sale(1000)
    with pytest.raises(BadInputError, match="PERSON_BAD"):
        town.settlement.draw_up(1, 1, MARCH, " ")
    batch = draw_up(town)
    for nobody in ("", "SYSTEM"):
        with pytest.raises(BadInputError, match="PERSON_BAD"):
            town.settlement.approve(batch.id, nobody)
        with pytest.raises(BadInputError, match="PERSON_BAD"):
            town.settlement.turn_down(batch.id, nobody)
    assert town.settlement.batch(batch.id).state is BatchState.CREATED


def test_the_same_approval_twice_makes_one_payment(town: Town) -> None:
    town.sale(1000)
    batch = draw_up(town)
    assert town.settlement.approve(batch.id, "bruno") == town.settlement.approve(batch.id, "bruno")
    with pytest.raises(ConflictError, match="BATCH_STATE"):
        town.settlement.approve(batch.id, "carla")
    with town.work.begin() as unit:
        assert len(unit.settlement.payments(batch.id)) == 1


def test_no_payment_is_ordered_before_the_approval(town: Town) -> None:
    town.sale(1000)
    with pytest.raises(ConflictError, match="BATCH_STATE"):
        town.settlement.order_payments([draw_up(town).id], DEBTOR)
    with pytest.raises(UnknownError, match="BATCH_UNKNOWN"):
        town.settlement.order_payments([99], DEBTOR)
    with pytest.raises(ConflictError, match="BATCH_EMPTY"):
        town.settlement.order_payments([], DEBTOR)


def test_the_same_order_again_is_the_same_file(town: Town) -> None:
    town.sale(1000)
    batch, content = ordered(town)
    town.clock.now += 86400
    assert town.settlement.order_payments([batch.id], DEBTOR).content == content
    other = Debtor("Comune di Borgo", IBAN)
    with pytest.raises(ConflictError, match="PAYMENTS_OF_TWO_ORDERS"):
        town.settlement.order_payments([batch.id], other)


def test_a_payment_does_not_leave_with_a_second_order(town: Town) -> None:
    town.sale(1000)
    first, _ = ordered(town)
    town.sale(500)
    set_mark(town, APRIL.end)
    second = town.settlement.approve(draw_up(town, APRIL).id, "bruno")
    with pytest.raises(ConflictError, match="PAYMENTS_OF_TWO_ORDERS"):
        town.settlement.order_payments([first.id, second.id], DEBTOR)
    assert town.settlement.batch(second.id).state is BatchState.APPROVED


def test_a_merchants_wrong_iban_stops_the_approval(town: Town) -> None:
    town.sale(1000)
    with town.work.begin() as unit:
        unit.terminals.merchant(1).iban = "IT00X"
        unit.commit()
    batch = draw_up(town)
    with pytest.raises(BadInputError, match="IBAN_BAD"):
        town.settlement.approve(batch.id, "bruno")
    assert town.settlement.batch(batch.id).state is BatchState.CREATED


def test_a_failed_payment_is_payable_again_and_its_line_linked(town: Town) -> None:
    town.sale(1000)
    batch, _ = ordered(town)
    content = outcome(town, batch, "10,00", "respinto", "conto chiuso")
    report = town.outcomes.import_file("x.csv", content, "carla")
    assert [item.reason for item in report.new] == ["conto chiuso"]
    assert (town.balance(PAYABLE), town.balance(IN_PAYMENT)) == (1000, 0)
    assert town.settlement.batch(batch.id).state is BatchState.FAILED
    assert not is_batched(town, 1)

    set_mark(town, APRIL.end)
    again = draw_up(town, APRIL)
    assert [(line.cents, line.replaces) for line in again.lines] == [(1000, batch.lines[0].id)]
    assert end_to_end_id(town, town.settlement.approve(again.id, "bruno")) != end_to_end_id(
        town, batch
    )
    town.check_books()


def is_batched(town: Town, posting: int) -> bool:
    with town.work.begin() as unit:
        return unit.verdicts.is_batched(posting)


@pytest.mark.parametrize("approved", [False, True])
def test_a_batch_turned_down_leaves_the_money_payable(town: Town, approved: bool) -> None:
    town.sale(1000)
    batch = draw_up(town)
    if approved:
        town.settlement.approve(batch.id, "bruno")
    assert town.settlement.turn_down(batch.id, "bruno").state is BatchState.FAILED
    assert town.balance(PAYABLE) == 1000
    with pytest.raises(ConflictError, match="BATCH_STATE"):
        town.settlement.order_payments([batch.id], DEBTOR)


@pytest.mark.parametrize("period", [MARCH, Period(MARCH.start - 1, MARCH.end)])
def test_a_batch_turned_down_is_drawn_up_again_for_its_period(town: Town, period: Period) -> None:
    """Whoever prepared it mends what was wrong, and nobody waits for the next month."""
    town.sale(1000)
    first = draw_up(town)
    town.settlement.turn_down(first.id, "bruno")
    again = draw_up(town, period)
    assert (again.state, again.total_cents) == (BatchState.CREATED, 1000)
    assert again.id != first.id
    assert [line.replaces for line in again.lines] == [first.lines[0].id]
    assert draw_up(town, period) == again
    assert town.settlement.approve(again.id, "bruno").state is BatchState.APPROVED
    assert town.settlement.order_payments([again.id], DEBTOR).total_cents == 1000
    town.check_books()


def test_a_batch_at_the_bank_cannot_be_turned_down(town: Town) -> None:
    town.sale(1000)
    batch, _ = ordered(town)
    with pytest.raises(ConflictError, match="BATCH_STATE"):
        town.settlement.turn_down(batch.id, "bruno")


def test_a_statement_says_what_was_accepted_and_not_that_it_is_still_to_be_paid(
    town: Town,
) -> None:
    town.sale(1000)
    batch, _ = ordered(town)
    town.outcomes.import_file("x.csv", outcome(town, batch, "10,00", "pagato"), "carla")
    assert (town.balance(PAYABLE), town.balance(PAID)) == (0, 1000)
    assert MerchantOffice(town.work, town.clock).statement(1).accepted_cents == 1000
    said = catalogue.label("backend", "statement_sum", "it", accepted="10,00", waiting="0,00")
    assert said == "Venduto e accettato 10,00 (pagato o da pagare), in attesa 0,00."


def test_the_same_outcome_file_twice_changes_nothing(town: Town) -> None:
    town.sale(1000)
    batch, _ = ordered(town)
    content = outcome(town, batch, "10,00", "pagato")
    town.outcomes.import_file("a.csv", content, "carla")
    head = ledger_head(town.work)
    again = town.outcomes.import_file("b.csv", content, "carla")
    respelled = town.outcomes.import_file("c.csv", content + b"\r\n;;;;\r\n", "carla")
    assert (again.new, again.known, respelled.new, respelled.known) == ((), 1, (), 1)
    assert again.accepted
    assert ledger_head(town.work) == head


def ledger_head(work: DatabaseWork) -> tuple[int, bytes]:
    with work.begin() as unit:
        return unit.ledger.head()


def test_the_same_reference_with_other_content_is_told(town: Town) -> None:
    town.sale(1000)
    batch, _ = ordered(town)
    town.outcomes.import_file("a.csv", outcome(town, batch, "10,00", "pagato"), "carla")
    report = town.outcomes.import_file("b.csv", outcome(town, batch, "10,00", "fallito"), "carla")
    assert [(item.line, item.code) for item in report.faults] == [(2, "OUTCOME_OTHER_CONTENT")]
    assert town.balance(PAID) == 1000


def test_one_bad_row_keeps_the_whole_file_out(town: Town) -> None:
    town.sale(1000)
    batch, _ = ordered(town)
    good = outcome(town, batch, "10,00", "pagato")
    bad = good + b"BOR-9-X;1,00;pagato;02/04/2026;\nBOR-1;x;pagato;02/04/2026;\n"
    report = town.outcomes.import_file("a.csv", bad, "carla")
    assert [(item.line, item.code) for item in report.faults] == [
        (3, "OUTCOME_PAYMENT_UNKNOWN"), (4, "OUTCOME_AMOUNT_BAD"),
    ]  # fmt: skip
    assert not report.accepted
    assert (town.balance(IN_PAYMENT), town.balance(PAID)) == (1000, 0)
    assert town.outcomes.import_file("a.csv", good, "carla").accepted


@pytest.mark.parametrize(
    ("amount", "code"),
    [("10,01", "OUTCOME_AMOUNT_DIFFERS"), ("10", ""), ("1000", "OUTCOME_AMOUNT_DIFFERS")],
)
def test_the_amount_must_be_the_payments(town: Town, amount: str, code: str) -> None:
    town.sale(1000)
    batch, _ = ordered(town)
    report = town.outcomes.import_file("a.csv", outcome(town, batch, amount, "pagato"), "carla")
    assert [item.code for item in report.faults] == ([code] if code else [])


def test_an_outcome_before_the_order_is_told(town: Town) -> None:
    town.sale(1000)
    batch = town.settlement.approve(draw_up(town).id, "bruno")
    report = town.outcomes.import_file("a.csv", outcome(town, batch, "10,00", "pagato"), "carla")
    assert [item.code for item in report.faults] == ["OUTCOME_NOT_SENT"]


def test_two_merchants_have_batches_of_their_own(town: Town) -> None:
    town.sale(1000)
    with town.work.begin() as unit:
        unit.add(MerchantRow(name="Forno", iban=IBAN, created_at=0))
        unit.commit()
    with pytest.raises(ConflictError, match="BATCH_EMPTY"):
        town.settlement.draw_up(1, 2, MARCH, "anna")
    with pytest.raises(UnknownError, match="MERCHANT_UNKNOWN"):
        town.settlement.draw_up(1, 3, MARCH, "anna")


def test_the_fixed_clock_is_the_only_clock(town: Town) -> None:
    """The order's date comes from the injected clock."""
    town.sale(1000)
    assert isinstance(town.clock, FixedClock)
    _, content = ordered(town)
    assert b"<Dt>2026-04-01</Dt>" in content
