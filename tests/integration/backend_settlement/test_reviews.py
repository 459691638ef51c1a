"""The sampled review: a sample drawn by a seed that is kept, lines held back, who approves."""

from collections.abc import Callable

import pytest

from backend.domain.cases import Decision
from backend.domain.ledger import AccountKind
from backend.domain.review import Rule, sample
from backend.domain.settlement import BatchState, LineState
from backend.errors import BadInputError, ConflictError, NotPermittedError, UnknownError
from backend.services.cases.office import CaseOffice
from backend.services.settlement.views import Batch
from tests.integration.backend_settlement.conftest import APRIL, DEBTOR, Town
from tests.integration.backend_settlement.test_settlement import draw_up, set_mark

PAYABLE, IN_PAYMENT = AccountKind.PAYABLE, AccountKind.IN_PAYMENT


def band(town: Town, from_cents: int, permille: int, approvals: int = 1) -> None:
    rule = Rule(from_cents, permille, approvals)
    town.reviews.set_band(1, rule, act="DG 7", requested_by="rita", approved_by="bruno")


def under_review(town: Town, permille: int | None = None) -> Batch:
    batch = draw_up(town)
    town.reviews.send(batch.id, "anna")
    return town.reviews.begin(batch.id, "bruno", permille)


def sampled(batch: Batch) -> list[int]:
    return [line.id for line in batch.lines if line.in_sample]


def cases(town: Town) -> list[tuple[str, int]]:
    return [(case.code, case.cents) for case in CaseOffice(town.work, town.clock).waiting()]


def decide(town: Town, decision: Decision) -> int:
    office = CaseOffice(town.work, town.clock)
    number = office.waiting()[0].number
    return office.close(number, decision, act="DD 3", requested_by="rita", approved_by="bruno")


def test_a_batch_of_an_amount_is_paid_only_after_its_sample_was_looked_at(town: Town) -> None:
    band(town, 5_000, 200)
    for _ in range(10):
        town.sale(1000)
    batch = draw_up(town)
    with pytest.raises(ConflictError, match="REVIEW_WANTED"):
        town.settlement.approve(batch.id, "bruno")
    assert town.reviews.send(batch.id, "anna").state is BatchState.SENT
    with pytest.raises(ConflictError, match="REVIEW_WANTED"):
        town.settlement.approve(batch.id, "bruno")
    batch = town.reviews.begin(batch.id, "bruno")
    assert batch.state is BatchState.UNDER_REVIEW
    assert len(sampled(batch)) == 2
    with pytest.raises(ConflictError, match="REVIEW_UNFINISHED") as refused:
        town.settlement.approve(batch.id, "bruno")
    assert refused.value.facts["lines"] == 2
    town.reviews.accept(batch.id, sampled(batch)[:1], "bruno")
    town.reviews.accept(batch.id, [], "carla")
    assert town.settlement.approve(batch.id, "bruno").state is BatchState.APPROVED
    assert town.settlement.order_payments([batch.id], DEBTOR).total_cents == 10_000


def test_the_sample_follows_from_the_seed_that_is_kept_and_is_drawn_once(town: Town) -> None:
    for _ in range(20):
        town.sale(100)
    town.sale(100, amount_open=True)
    batch = under_review(town, 150)
    assert batch.seed is not None
    chosen = sample(bytes.fromhex(batch.seed), 20, 150)
    assert [line.in_sample for line in batch.lines[:20]] == [n in chosen for n in range(20)]
    assert batch.lines[20].in_sample is None
    assert town.reviews.begin(batch.id, "carla", 900) == batch


def test_a_sample_is_never_smaller_than_the_amount_asks_for(town: Town) -> None:
    band(town, 0, 500)
    town.sale(1000)
    batch = draw_up(town)
    town.reviews.send(batch.id, "anna")
    for permille in (499, 1001):
        with pytest.raises(BadInputError, match="SAMPLE_BAD"):
            town.reviews.begin(batch.id, "bruno", permille)
    assert town.reviews.begin(batch.id, "bruno", 1000).state is BatchState.UNDER_REVIEW


def test_who_drew_a_batch_up_neither_reviews_nor_approves_it(town: Town) -> None:
    town.sale(1000)
    batch = draw_up(town)
    town.reviews.send(batch.id, "anna")
    with pytest.raises(NotPermittedError, match="BATCH_SAME_PERSON"):
        town.reviews.begin(batch.id, "Anna", 1000)
    line = town.reviews.begin(batch.id, "bruno", 1000).lines[0].id
    with pytest.raises(NotPermittedError, match="BATCH_SAME_PERSON"):
        town.reviews.accept(batch.id, [line], "anna ")
    with pytest.raises(NotPermittedError, match="BATCH_SAME_PERSON"):
        town.reviews.hold(batch.id, line, LineState.REJECTED, "-", "anna")


def test_a_large_batch_needs_two_others_and_the_same_one_twice_is_one(town: Town) -> None:
    band(town, 1_000, 0, approvals=2)
    town.sale(1000)
    batch = draw_up(town)
    assert town.settlement.approve(batch.id, "bruno").state is BatchState.CREATED
    assert town.settlement.approve(batch.id, "Bruno ").state is BatchState.CREATED
    with pytest.raises(NotPermittedError, match="BATCH_SAME_PERSON"):
        town.settlement.approve(batch.id, "ANNA")
    approved = town.settlement.approve(batch.id, "carla")
    assert (approved.state, approved.approvals) == (BatchState.APPROVED, ("bruno", "carla"))
    with town.work.begin() as unit:
        assert len(unit.settlement.payments(batch.id)) == 1


@pytest.mark.parametrize("moment", ["sent", "begun", "held"])
def test_a_batch_that_somebody_approved_is_not_changed_before_the_next_one_does(
    town: Town, moment: str
) -> None:
    """Who approves agrees to the lines and the total that are there."""
    band(town, 1_000, 0, approvals=2)
    for cents in (1000, 700):
        town.sale(cents)
    batch = draw_up(town)
    if moment != "sent":
        town.reviews.send(batch.id, "anna")
    if moment == "held":
        town.reviews.begin(batch.id, "bruno", 1)
        town.reviews.accept(batch.id, [], "bruno")
    town.settlement.approve(batch.id, "bruno")
    line, office = batch.lines[0].id, town.reviews
    changes: dict[str, Callable[[], Batch]] = {
        "sent": lambda: office.send(batch.id, "anna"),
        "begun": lambda: office.begin(batch.id, "carla", 1),
        "held": lambda: office.hold(batch.id, line, LineState.POSTPONED, "wine", "carla"),
    }
    with pytest.raises(ConflictError, match="BATCH_AGREED"):
        changes[moment]()
    approved = town.settlement.approve(batch.id, "carla")
    assert (approved.state, approved.total_cents) == (BatchState.APPROVED, 1_700)
    town.check_books()


def test_a_band_that_is_set_later_does_not_reach_a_batch_that_is_there(town: Town) -> None:
    town.sale(1000)
    batch = draw_up(town)
    town.clock.now += 60
    band(town, 0, 1000, approvals=3)
    assert town.settlement.approve(batch.id, "bruno").state is BatchState.APPROVED
    assert [rule.approvals for rule in town.reviews.bands(1)] == [3]
    with pytest.raises(NotPermittedError, match="SAME_PERSON"):
        town.reviews.set_band(1, Rule(), act="-", requested_by="rita", approved_by="Rita")


def test_a_postponed_line_is_paid_by_the_next_batch(town: Town) -> None:
    for cents in (1000, 700):
        town.sale(cents)
    batch = under_review(town, 1000)
    held = town.reviews.hold(batch.id, batch.lines[1].id, LineState.POSTPONED, "no slip", "bruno")
    assert (held.total_cents, held.lines[1].reason, held.lines[1].note) == (
        1000, "LINE_POSTPONED", "no slip",
    )  # fmt: skip
    assert (town.balance(PAYABLE), town.balance(IN_PAYMENT)) == (700, 1000)
    with pytest.raises(ConflictError, match="LINE_STATE"):
        town.reviews.hold(batch.id, batch.lines[1].id, LineState.POSTPONED, "again", "bruno")
    town.reviews.accept(batch.id, [], "bruno")
    town.settlement.approve(batch.id, "carla")
    set_mark(town, APRIL.end)
    assert [line.cents for line in draw_up(town, APRIL).lines] == [700]
    town.check_books()


@pytest.mark.parametrize("to", [LineState.SUSPENDED, LineState.REJECTED])
@pytest.mark.parametrize("decision", [Decision.PAY, Decision.REFUND])
def test_a_line_held_back_waits_for_two_people(
    town: Town, to: LineState, decision: Decision
) -> None:
    for cents in (1000, 700):
        town.sale(cents)
    batch = under_review(town, 1000)
    town.reviews.hold(batch.id, batch.lines[1].id, to, "wine", "bruno")
    assert cases(town) == [(f"LINE_{to.upper()}", 700)]
    assert (town.balance(PAYABLE), town.balance(IN_PAYMENT)) == (0, 1000)
    town.check_books()

    assert decide(town, decision) == 700
    town.check_books()
    set_mark(town, APRIL.end)
    if decision is Decision.PAY:
        assert draw_up(town, APRIL).total_cents == 700
    else:
        assert town.balance(AccountKind.REFUND_DUE) == 700
        with pytest.raises(ConflictError, match="BATCH_EMPTY"):
            draw_up(town, APRIL)


def test_what_two_people_decided_is_not_suspended_again(town: Town) -> None:
    for cents in (1000, 700):
        town.sale(cents)
    first = under_review(town, 1000)
    town.reviews.hold(first.id, first.lines[1].id, LineState.SUSPENDED, "wine", "bruno")
    decide(town, Decision.PAY)
    set_mark(town, APRIL.end)
    second = draw_up(town, APRIL)
    town.reviews.send(second.id, "anna")
    line = town.reviews.begin(second.id, "bruno", 1000).lines[0].id
    with pytest.raises(ConflictError, match="LINE_DECIDED"):
        town.reviews.hold(second.id, line, LineState.REJECTED, "wine", "bruno")
    postponed = town.reviews.hold(second.id, line, LineState.POSTPONED, "-", "bruno")
    assert postponed.total_cents == 0
    with pytest.raises(ConflictError, match="BATCH_EMPTY"):
        town.settlement.approve(second.id, "bruno")
    assert town.settlement.turn_down(second.id, "bruno").state is BatchState.FAILED
    town.check_books()


def test_a_batch_turned_down_after_a_review_gives_back_what_it_still_holds(town: Town) -> None:
    for cents in (1000, 700, 300):
        town.sale(cents)
    batch = under_review(town, 1000)
    town.reviews.hold(batch.id, batch.lines[0].id, LineState.REJECTED, "wine", "bruno")
    town.reviews.hold(batch.id, batch.lines[1].id, LineState.POSTPONED, "slip", "bruno")
    town.settlement.turn_down(batch.id, "bruno")
    assert (town.balance(PAYABLE), town.balance(IN_PAYMENT)) == (1000, 0)
    assert cases(town) == [("LINE_REJECTED", 1000)]
    town.check_books()


def test_voids_are_no_lines_of_their_own_to_hold_back(town: Town) -> None:
    for cents in (1000, -300):
        town.sale(cents)
    batch = under_review(town, 1000)
    with pytest.raises(ConflictError, match="LINE_NOT_A_SALE"):
        town.reviews.hold(batch.id, batch.lines[1].id, LineState.POSTPONED, "-", "bruno")
    with pytest.raises(UnknownError, match="LINE_UNKNOWN"):
        town.reviews.hold(batch.id, 99, LineState.POSTPONED, "-", "bruno")


def test_a_void_is_postponed_with_its_sale(town: Town) -> None:
    for cents in (1000, -300, 2000):
        town.sale(cents)
    batch = under_review(town, 1000)
    first = batch.lines[0].id
    with pytest.raises(ConflictError, match="LINE_GIVEN_BACK"):
        town.reviews.hold(batch.id, first, LineState.REJECTED, "-", "bruno")
    held = town.reviews.hold(batch.id, first, LineState.POSTPONED, "-", "bruno")
    assert [line.reason for line in held.lines] == ["LINE_POSTPONED", "LINE_WITH_SALE", ""]
    assert held.total_cents == 2000
    assert (town.balance(PAYABLE), town.balance(IN_PAYMENT)) == (700, 2000)
    town.check_books()


def test_what_the_voids_would_outweigh_stays_in_the_batch(town: Town) -> None:
    for cents in (1000, 100, -300):
        town.sale(cents)
    batch = under_review(town, 1000)
    for line in batch.lines[:2]:
        with pytest.raises(ConflictError, match="LINE_POT_OWES"):
            town.reviews.hold(batch.id, line.id, LineState.POSTPONED, "-", "bruno")
    assert town.settlement.batch(batch.id).total_cents == 800
    town.check_books()


def test_nothing_is_held_back_before_the_review_or_after_the_approval(town: Town) -> None:
    town.sale(1000)
    batch = draw_up(town)
    line = batch.lines[0].id
    with pytest.raises(ConflictError, match="BATCH_STATE"):
        town.reviews.hold(batch.id, line, LineState.REJECTED, "-", "bruno")
    with pytest.raises(ConflictError, match="BATCH_STATE"):
        town.reviews.begin(batch.id, "bruno", 1000)
    town.settlement.approve(batch.id, "bruno")
    with pytest.raises(ConflictError, match="BATCH_STATE"):
        town.reviews.accept(batch.id, [line], "bruno")
    with pytest.raises(ConflictError, match="BATCH_STATE"):
        town.reviews.send(batch.id, "anna")
