"""Cases that people close, claim windows, refunds: where the money goes (PROTOCOL 6 and 7)."""

from datetime import date

import pytest

from backend.domain.cases import Cover, Decision
from backend.domain.settlement import Period
from backend.errors import BadInputError, ConflictError, NotPermittedError
from backend.services.administration.day_end import DayEnd
from backend.services.cases.office import CaseOffice
from backend.services.refunds.refund_orders import RefundDesk
from backend.services.settlement.batches import SettlementService
from backend.services.terminals.lost_terminals import LossOffice
from cardlib.calendar import day_end
from cardlib.codec.purse import day_number
from cardlib.wire.ids import Seq
from tests.integration.backend.books import (
    alarms,
    check_export,
    check_laws,
    held,
    payable,
    postings,
)
from tests.integration.backend.builders import APPROVER, LOADER, START, Chip, Till, Town

DAY = 86_400
WINDOW = 15 * DAY


def decide(town: Town, decision: Decision, cover: Cover | None = None, case: int = 1) -> int:
    office = CaseOffice(town.work, town.clock)
    moved = office.close(
        case, decision, act="DD 9", requested_by=LOADER, approved_by=APPROVER, cover=cover
    )
    check_laws(town)
    return moved


def settle(town: Town, *tills: Till) -> int:
    town.clock.seconds += 10
    for till in tills:
        till.heartbeat()
        till.sync()
    service, now = SettlementService(town.work, town.clock), town.clock.seconds
    return service.draw_up(
        town.municipality, town.shop, Period(START - DAY, now - 5), LOADER
    ).total_cents


def unproven(town: Town, cents: int = 700) -> tuple[Chip, Till]:
    chip, till = town.chip_with(5_000), town.till()
    till.sell(chip, cents, tc=False)
    till.sync()
    return chip, till


def test_two_people_pay_a_sale_that_no_card_has_proven(town: Town) -> None:
    chip, till = unproven(town)
    (case,) = CaseOffice(town.work, town.clock).waiting()
    assert (case.code, case.cents, case.due_at) == ("SALE_UNPROVEN", 700, START + WINDOW)
    assert decide(town, Decision.PAY) == 700
    assert decide(town, Decision.PAY) == 0
    assert payable(town, town.shop) == 700
    assert settle(town, till) == 700
    till.prove(chip, 1)
    till.sync()
    assert [row.state for row in postings(town, chip)] == ["proven"]
    assert "payable" not in held(town)


def test_one_person_decides_nothing(town: Town) -> None:
    unproven(town)
    office = CaseOffice(town.work, town.clock)
    with pytest.raises(NotPermittedError, match="SAME_PERSON"):
        office.close(1, Decision.PAY, act="x", requested_by="Ada", approved_by="ada")
    decide(town, Decision.RELEASE)
    with pytest.raises(ConflictError, match="CASE_CLOSED"):
        decide(town, Decision.PAY)


@pytest.mark.parametrize("nobody", ["", " ", "system", "System "])
def test_who_decides_is_a_person_with_a_name(town: Town, nobody: str) -> None:
    """Else a decision of people would pass for a proof's, or one person for two."""
    unproven(town)
    office = CaseOffice(town.work, town.clock)
    for people in ((nobody, "anna"), ("anna", nobody)):
        with pytest.raises(BadInputError, match="PERSON_BAD"):
            office.close(1, Decision.PAY, act="x", requested_by=people[0], approved_by=people[1])
    assert len(office.waiting()) == 1


def test_a_sale_given_back_is_posted_after_all_once_the_card_proves_it(town: Town) -> None:
    chip, till = unproven(town)
    decide(town, Decision.RELEASE)
    assert held(town)["on_card"] == 5_000
    till.prove(chip, 1)
    till.sync()
    check_laws(town)
    assert held(town)["on_card"] == 4_300
    assert payable(town, town.shop) == 700


def told_and_given_back(town: Town, cents: int) -> tuple[Chip, Till]:
    """A till tells of a sale without a proof; two people take it back, with an act."""
    chip, till = unproven(town, cents)
    decide(town, Decision.RELEASE)
    return chip, till


def proven_after_its_till_was_stolen(town: Town) -> tuple[Chip, Till]:
    chip, till = told_and_given_back(town, 700)
    LossOffice(town.work, town.clock).record(
        till.number, START, act="Furto", requested_by=LOADER, approved_by=APPROVER
    )
    other = town.till(town.other_shop)
    other.prove(chip, 1)
    other.sync()
    return chip, other


def test_what_people_gave_back_waits_anew_when_the_card_proves_it_but_nobody_may_pay_it(
    town: Town,
) -> None:
    proven_after_its_till_was_stolen(town)
    (case,) = CaseOffice(town.work, town.clock).waiting()
    assert (case.code, case.cents) == ("SALE_TERMINAL_LOST", 700)
    check_laws(town)
    check_export(town)
    assert decide(town, Decision.PAY, case=case.number) == 700
    assert payable(town, town.shop) == 700
    check_export(town)
    with town.work.read() as unit:
        first, second = unit.verdicts.cases()
    assert (first.decision, first.decided_by, first.act) == ("return", LOADER, "DD 9")
    assert (second.decision, second.approved_by) == ("pay", APPROVER)


def test_who_decides_a_claim_sees_the_other_one_for_the_same_record(town: Town) -> None:
    chip, till, other = town.chip_with(5_000), town.till(), town.till(town.other_shop)
    twin = chip.twin()
    till.sell(chip, 700, tc=False)
    second = other.sell(twin, 400, tc=False)
    till.sync()
    other.sync()
    (case,) = CaseOffice(town.work, town.clock).waiting()
    assert case.cents == 700
    assert case.rivals == (f"{other.number}:{second}",)
    decide(town, Decision.RELEASE)
    (case,) = CaseOffice(town.work, town.clock).waiting()
    assert (case.entry, case.cents) == (f"{other.number}:{second}", 400)


def test_what_people_pay_of_a_sale_to_a_cloned_card_comes_into_a_batch(town: Town) -> None:
    """The shop served it in good faith; the card went on elsewhere."""
    chip, till, other = town.chip_with(5_000), town.till(), town.till(town.other_shop)
    twin = chip.twin()
    till.sell(chip, 700)
    other.sell(twin, 400)
    other.sell(twin, 100)
    for one in (till, other):
        one.sync()
    (dead,) = [row for row in postings(town, chip) if not row.live]
    assert dead.case_id is not None
    assert dead.terminal == till.number
    assert decide(town, Decision.PAY, Cover.LOSS, case=dead.case_id) == 700
    assert settle(town, till) == 700
    assert payable(town, town.shop) == 0


def test_a_paid_claim_that_another_card_state_disproves_costs_no_family_anything(
    town: Town,
) -> None:
    chip, till, other = town.chip_with(5_000), town.till(), town.till(town.other_shop)
    till.sell(chip.twin(), 700, tc=False)
    till.sync()
    decide(town, Decision.PAY)
    other.sell(chip, 300)
    other.sync()
    check_laws(town)
    assert held(town)["on_card"] == 4_700
    assert (held(town)["exposure"], payable(town, town.shop)) == (-700, 700)
    assert "CASE_DISPROVED" in alarms(town)


def test_who_claimed_the_same_record_later_is_paid_when_the_first_claim_was_invented(
    town: Town,
) -> None:
    """A rogue shop told first of a debit that never was, and the card is never seen again."""
    chip, rogue, honest = town.chip_with(5_000), town.till(town.other_shop), town.till()
    rogue.sell(chip.twin(), 900, tc=False)
    rogue.sync()
    honest.sell(chip, 700, tc=False)
    honest.sync()
    assert [row.parts == [] for row in postings(town, chip)] == [False, True]

    decide(town, Decision.RELEASE, case=1)

    (case,) = CaseOffice(town.work, town.clock).waiting()
    assert (case.code, case.cents, case.entry) == ("SALE_UNPROVEN", 700, f"{honest.number}:2")
    decide(town, Decision.PAY, case=2)
    assert (payable(town, town.shop), payable(town, town.other_shop)) == (700, 0)
    assert held(town)["on_card"] == 4_300
    check_export(town)


def test_a_proven_sale_that_may_not_be_paid_is_refunded_by_a_new_grant(town: Town) -> None:
    chip, till = town.chip_with(5_000), town.till(town.new_shop("Fuori"))
    with town.work.begin() as unit:
        enabled = unit.terminals.enabled(till.merchant, town.programme)
        assert enabled is not None
        enabled.disabled_at = START
        unit.commit()
    till.sell(chip, 700)
    till.sync()
    with pytest.raises(ConflictError, match="CASE_DECISION_UNFIT"):
        decide(town, Decision.RELEASE)
    decide(town, Decision.REFUND)
    assert held(town)["refund_due"] == 700
    desk = RefundDesk(town.work, town.clock)
    (order,) = desk.order(till.number, 2, requested_by=LOADER, approved_by=APPROVER)
    with pytest.raises(ConflictError, match="REFUND_NOTHING_DUE"):
        desk.order(till.number, 2, requested_by=LOADER, approved_by=APPROVER)
    town.confirm(town.sign(chip, order))
    check_laws(town)
    assert held(town)["on_card"] == chip.balance() == 5_000
    assert "refund_due" not in held(town)


def test_what_a_till_denied_is_refunded(town: Town) -> None:
    chip, till, other = town.chip_with(5_000), town.till(), town.till(town.other_shop)
    seq = till.begin(chip, 700)
    till.debit(chip, seq)
    till.not_applied(chip, seq)
    other.prove(chip, 1)
    till.sync()
    other.sync()
    assert held(town)["refund_due"] == 700
    desk = RefundDesk(town.work, town.clock)
    orders = desk.order(till.number, seq, requested_by=LOADER, approved_by=APPROVER)
    town.confirm(town.sign(chip, orders[0]))
    assert held(town)["on_card"] == 5_000


def test_a_void_of_a_sale_that_was_given_back_finds_nothing_there(town: Town) -> None:
    chip, till = unproven(town)
    decide(town, Decision.RELEASE)
    till.void(chip, Seq(len(till.journal)), 700)
    till.sync()
    check_laws(town)
    check_export(town)
    assert held(town)["on_card"] == 5_000
    assert payable(town, town.shop) == 0


def late_sale(town: Town) -> tuple[Chip, Till, Seq]:
    """A sale of 7 euros that is told and proven when its wallet was given up long ago."""
    town.valid_to = day_number(date(2026, 9, 30))
    chip, till, other = town.chip_with(5_000), town.till(), town.till(town.other_shop)
    seq = till.begin(chip, 700)
    till.debit(chip, seq)
    till.unresolved(seq)
    town.clock.seconds = day_end(date(2026, 9, 30)) + 16 * DAY
    for each in (till, other):
        each.heartbeat()
        each.sync()
    DayEnd(town.work, town.clock).close_day()
    other.prove(chip, 1)
    other.sync()
    till.commit(chip, seq)
    till.sync()
    return chip, till, Seq(seq + 1)


@pytest.mark.parametrize("cover", [Cover.FUND, Cover.LOSS])
def test_a_sale_after_its_wallet_was_given_up_is_paid_by_fund_or_as_a_loss(
    town: Town, cover: Cover
) -> None:
    fund = held(town)["fund"] - 5_000
    late_sale(town)
    with pytest.raises(BadInputError, match="CASE_COVER_WANTED"):
        decide(town, Decision.PAY)
    decide(town, Decision.PAY, cover)
    assert payable(town, town.shop) == 700
    assert "exposure" not in held(town)
    bears = {Cover.FUND: ("fund", fund + 4_300), Cover.LOSS: ("loss", -700)}[cover]
    assert held(town)[bears[0]] == bears[1]


@pytest.mark.parametrize("cover", [Cover.FUND, Cover.LOSS])
@pytest.mark.parametrize("proven", [True, False])
def test_a_void_gives_the_money_back_to_whoever_bore_its_sale(
    town: Town, cover: Cover, proven: bool
) -> None:
    chip, till, sale = late_sale(town)
    decide(town, Decision.PAY, cover)
    till.void(chip, sale, 700, tc=proven)
    till.sync()
    if not proven:
        assert held(town)["suspense"] == 700
        decide(town, Decision.RELEASE, case=2)
    check_laws(town)
    check_export(town)
    assert not held(town).keys() & {"exposure", "loss", "payable", "suspense"}
    assert held(town)["fund"] == -held(town)["external"]


def test_a_void_that_does_not_hold_needs_nobody_to_bear_its_sale_again(town: Town) -> None:
    chip, till, sale = late_sale(town)
    decide(town, Decision.PAY, Cover.LOSS)
    till.void(chip, sale, 700, tc=False)
    till.sync()
    decide(town, Decision.PAY, case=2)
    check_export(town)
    assert (held(town)["loss"], payable(town, town.shop)) == (-700, 700)
    assert "exposure" not in held(town)


def test_a_debit_of_a_lost_till_is_paid_by_people_after_the_claim_window(town: Town) -> None:
    chip, till, other = town.chip_with(5_000), town.till(), town.till(town.other_shop)
    seq = till.begin(chip, 700)
    till.debit(chip, seq)  # the till burns with its journal
    other.prove(chip, 1)
    other.sync()
    with pytest.raises(ConflictError, match="CASE_TOO_EARLY"):
        decide(town, Decision.PAY)
    LossOffice(town.work, town.clock).record(
        till.number, START + 1 - 1, act="Incendio", requested_by=LOADER, approved_by=APPROVER
    )
    with pytest.raises(ConflictError, match="CASE_TOO_EARLY"):
        decide(town, Decision.PAY)
    town.clock.seconds += WINDOW
    decide(town, Decision.PAY)
    assert payable(town, town.shop) == 700
    assert settle(town) == 700


def test_an_open_amount_is_paid_when_the_claim_window_is_over(town: Town) -> None:
    chip, till, silent = town.chip_with(5_000), town.till(), town.till(town.other_shop)
    seq = silent.begin(chip, 400)
    silent.debit(chip, seq)
    till.sell(chip, 700)
    till.sync()
    assert [row.amount_open for row in postings(town, chip)] == [True]
    with pytest.raises(ConflictError, match="BATCH_EMPTY"):
        settle(town, till)
    town.clock.seconds += WINDOW
    assert settle(town, till) == 700


def test_an_unproven_void_is_decided_either_way(town: Town) -> None:
    chip, till = town.chip_with(5_000), town.till()
    for _ in range(2):
        sale = till.sell(chip, 700)
        till.void(chip, sale, 700, tc=False)
    till.sync()
    decide(town, Decision.RELEASE, case=1)
    decide(town, Decision.PAY, case=2)
    assert payable(town, town.shop) == 700
    assert held(town)["on_card"] == 4_300


def test_a_case_that_waits_too_long_raises_one_alarm(town: Town) -> None:
    unproven(town)
    end = DayEnd(town.work, town.clock)
    assert end.close_day().cases_overdue == 0
    town.clock.seconds += WINDOW + 1
    assert end.close_day().cases_overdue == 1
    assert end.close_day().cases_overdue == 0
    assert alarms(town).count("CASE_OVERDUE") == 1


def test_a_town_with_a_longer_claim_window_keeps_no_other_towns_cases_quiet(town: Town) -> None:
    unproven(town)
    patient = town.office.create_municipality("018177", "Pazienza")
    with town.work.begin() as unit:
        next(
            row for row in unit.programmes.municipalities() if row.id == patient
        ).claim_window_days = 90
        unit.commit()
    town.clock.seconds += WINDOW + 1
    assert DayEnd(town.work, town.clock).close_day().cases_overdue == 1


def test_a_day_end_tells_everything_that_is_due_however_much_it_is(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.services.administration.day_end.STEP", 2)
    for _ in range(5):
        unproven(town)
        chip, till = town.chip_with(5_000), town.till()
        till.begin(chip, 300)
        till.sync()
    town.clock.seconds += WINDOW + 20 * DAY
    done = DayEnd(town.work, town.clock).close_day()
    assert (done.cases_overdue, done.intents_open) == (5, 5)
