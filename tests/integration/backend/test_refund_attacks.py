"""Money that is due to a purse is given once, and never another purse's (PROTOCOL 7)."""

import pytest

from backend.domain.cases import Decision
from backend.errors import ConflictError
from backend.services.cases.office import CaseOffice
from backend.services.refunds.refund_orders import RefundDesk
from cardlib.wire.entry_header import EntryType
from cardlib.wire.ids import Seq
from tests.integration.backend.books import alarms, check_laws, held, payable, postings
from tests.integration.backend.builders import APPROVER, IBAN, LOADER, Chip, Till, Town


def denied(town: Town, till: Till, chip: Chip, cents: int = 1000) -> Seq:
    """The till signs that nothing was debited, the card was; the intent's number."""
    seq = till.begin(chip, cents)
    till.debit(chip, seq)
    till.not_applied(chip, seq)
    till.prove(chip, 1)
    till.sync()
    return seq


def refused(town: Town, till: Till, chip: Chip, cents: int = 1000) -> Seq:
    """A sale of a shop that takes no part, which two people refund; the intent's number."""
    seq = Seq(till.sell(chip, cents) - 1)
    till.sync()
    CaseOffice(town.work, town.clock).close(
        1, Decision.REFUND, act="DD 9", requested_by=LOADER, approved_by=APPROVER
    )
    return seq


def strange_till(town: Town) -> Till:
    return town.till(town.merchants.register("Bar Sport", IBAN))


def refund(town: Town, till: Till, seq: Seq) -> list[int]:
    return RefundDesk(town.work, town.clock).order(
        till.number, seq, requested_by=LOADER, approved_by=APPROVER
    )


def load(town: Town, chip: Chip, *orders: int) -> None:
    for order in orders:
        town.confirm(town.sign(chip, order))


def void(till: Till, chip: Chip, seq: Seq, cents: int = 1000) -> None:
    back = till.begin(chip, cents, voided=seq)
    till.debit(chip, back)
    till.commit(chip, back, kind=EntryType.VOID)


def test_a_till_takes_back_no_sale_that_it_denied(town: Town) -> None:
    till, chip = town.till(), town.chip_with(5000)
    seq = denied(town, till, chip)
    back = till.begin(chip, 1000, voided=seq)
    answer = till.sync()
    assert answer.verdicts[0].reason == "VOID_ABOVE_SALE"
    assert back == 4
    assert held(town)["refund_due"] == 1000


@pytest.mark.usefixtures("auditor_may_differ")  # a void that nothing stands behind
def test_what_a_grant_refunded_is_not_given_once_more_by_a_void(town: Town) -> None:
    till, chip, victim = strange_till(town), town.chip_with(5000), town.chip_with(5000)
    other = town.till(town.other_shop)
    theirs = denied(town, other, victim)
    seq = refused(town, till, chip)
    load(town, chip, *refund(town, till, seq))

    void(till, chip, seq)
    till.sync()

    assert held(town)["refund_due"] == 1000
    assert "REFUND_DISPROVED" in alarms(town)
    check_laws(town)
    load(town, victim, *refund(town, other, theirs))
    assert "refund_due" not in held(town)


def test_a_void_before_the_grant_leaves_nothing_to_refund(town: Town) -> None:
    till, chip = strange_till(town), town.chip_with(5000)
    seq = refused(town, till, chip)
    (order,) = refund(town, till, seq)
    void(till, chip, seq)
    till.sync()
    assert held(town)["on_card"] == 5000
    with pytest.raises(ConflictError, match="ORDER_MONEY_GONE"):
        town.sign(chip, order)


def test_a_void_before_the_order_leaves_nothing_to_refund(town: Town) -> None:
    till, chip = strange_till(town), town.chip_with(5000)
    seq = refused(town, till, chip)
    void(till, chip, seq)
    till.sync()
    with pytest.raises(ConflictError, match="REFUND_NOTHING_DUE"):
        refund(town, till, seq)


@pytest.mark.usefixtures("auditor_may_differ")  # a void of a sale that was none
def test_a_sale_denied_after_its_void_leaves_nothing_to_refund(town: Town) -> None:
    till, chip = town.till(), town.chip_with(5000)
    seq = till.begin(chip, 1000)
    till.debit(chip, seq)
    void(till, chip, seq)
    till.sync()
    till.not_applied(chip, seq)
    till.prove(chip, 2)
    till.sync()
    assert held(town)["on_card"] == 5000
    with pytest.raises(ConflictError, match="REFUND_NOTHING_DUE"):
        refund(town, till, seq)


@pytest.mark.parametrize("signed", [True, False])
def test_a_fork_after_a_refund_stops_nobody_elses_upload(town: Town, signed: bool) -> None:
    till, chip = town.till(), town.chip_with(5000)
    other, twin = town.till(town.other_shop), chip.twin()
    (order,) = refund(town, till, denied(town, till, chip))
    if signed:
        load(town, chip, order)
    other.sell(twin, 500)
    other.sell(twin, 300)

    other.sync()

    assert payable(town, town.other_shop) == (500 if signed else 800)  # the second came after it
    assert {"PURSE_FORKED"} <= set(alarms(town))
    assert ("REFUND_DISPROVED" in alarms(town)) is signed
    assert [row.live for row in postings(town, chip)].count(True) == 2
    check_laws(town)
    if not signed:
        with pytest.raises(ConflictError, match="ORDER_MONEY_GONE"):
            town.sign(twin, order)
