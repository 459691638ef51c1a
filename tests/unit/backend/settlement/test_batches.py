"""What goes into a settlement batch, and who may move it on."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.ledger import Pot
from backend.domain.settlement import (
    BatchState,
    Claim,
    ClaimPart,
    LineState,
    Period,
    Postponement,
    advance,
    check_complete,
    check_second_person,
    draw_up,
)
from backend.errors import BadInputError, ConflictError, NotPermittedError

FOOD = Pot(1, 1, 1)
MEDICINE = Pot(1, 2, 1)
PLENTY: dict[Pot, int] = {
    Pot(1, programme, source): 1_000_000 for programme in range(4) for source in range(4)
}
"""The ledger owes more than any claim here."""


def claim(
    posting: int, cents: int, *, pot: Pot = FOOD, proven: bool = True,
    amount_open: bool = False, chain_closed: bool = True, payable: bool = True,
) -> Claim:  # fmt: skip
    return Claim(
        posting=posting, entry=f"7:{posting}", event_time=1000 + posting, proven=proven,
        amount_open=amount_open, chain_closed=chain_closed, parts=(ClaimPart(pot, payable, cents),),
    )  # fmt: skip


def held_back(posting: int, cents: int) -> Claim:
    """A void that nobody has proven: what it asks for lies in suspense."""
    parts = (ClaimPart(FOOD, payable=True, cents=-cents), ClaimPart(FOOD, False, cents))
    return replace(claim(posting, -cents, proven=False), parts=parts)


def test_proven_sales_are_paid_in_the_order_they_happened() -> None:
    draft = draw_up([claim(2, 500), claim(1, 1250)], PLENTY)
    assert [line.claim.entry for line in draft.lines] == ["7:1", "7:2"]
    assert draft.total_cents == 1750
    assert draft.by_pot() == {FOOD: 1750}


def test_a_pot_never_pays_more_than_the_ledger_owes() -> None:
    """An earlier payment was corrected: the merchant has had some of it already."""
    draft = draw_up([claim(1, 5000), claim(2, 300, pot=MEDICINE)], {FOOD: 4999, MEDICINE: 300})
    assert draft.by_pot() == {MEDICINE: 300}


def test_where_less_is_owed_the_latest_sales_wait() -> None:
    """A void of 3.00, of a sale that was paid long ago, holds its money back."""
    sales = [claim(1, 1000), claim(2, 500), claim(3, 200)]
    draft = draw_up([*sales, held_back(4, 300)], {FOOD: 1400})
    assert [(line.claim.cents, line.reason) for line in draft.lines] == [
        (1000, ""), (500, Postponement.POT_SHORT), (200, Postponement.POT_SHORT),
        (-300, Postponement.UNPROVEN),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("waiting", "why"),
    [
        (claim(2, 300, proven=False), Postponement.UNPROVEN),
        (claim(2, 300, amount_open=True), Postponement.AMOUNT_OPEN),
        (claim(2, 300, chain_closed=False), Postponement.CHAIN_OPEN),
        (claim(2, 300, payable=False), Postponement.SUSPENDED),
    ],
)
def test_what_is_not_yet_certain_is_listed_and_not_paid(waiting: Claim, why: str) -> None:
    draft = draw_up([claim(1, 1000), waiting], PLENTY)
    assert draft.total_cents == 1000
    assert [(line.state, line.reason) for line in draft.lines] == [
        (LineState.INCLUDED, ""), (LineState.POSTPONED, why),
    ]  # fmt: skip


def test_a_void_is_a_negative_line() -> None:
    assert draw_up([claim(1, 1000), claim(2, -400)], PLENTY).total_cents == 600


def test_a_pot_that_owes_waits_while_others_are_paid() -> None:
    draft = draw_up(
        [claim(1, 1000), claim(2, -700, pot=MEDICINE), claim(3, 200, pot=MEDICINE)], PLENTY
    )
    assert draft.total_cents == 1000
    assert [line.reason for line in draft.lines[1:]] == [Postponement.POT_NEGATIVE] * 2


def test_nothing_to_pay_is_said_and_makes_no_batch() -> None:
    with pytest.raises(ConflictError, match="BATCH_EMPTY"):
        draw_up([claim(1, 1000), claim(2, -1000)], PLENTY)
    with pytest.raises(ConflictError, match="BATCH_EMPTY"):
        draw_up([], PLENTY)


def test_a_sale_over_two_pots_does_not_make_the_other_pot_owe() -> None:
    """Its food part waits with its medicine part; without it the food pot would owe too."""
    both = Claim(
        posting=1, entry="7:1", event_time=1, proven=True, amount_open=False, chain_closed=True,
        parts=(ClaimPart(FOOD, payable=True, cents=500), ClaimPart(MEDICINE, True, 100)),
    )  # fmt: skip
    with pytest.raises(ConflictError, match="BATCH_EMPTY"):
        draw_up([both, claim(2, -400), claim(3, -900, pot=MEDICINE)], PLENTY)


POTS = st.sampled_from([FOOD, MEDICINE, (2, 1, 1)])
PARTS = st.lists(
    st.builds(ClaimPart, POTS, st.booleans(), st.integers(-500, 500).filter(bool)),
    min_size=1, max_size=3,
)  # fmt: skip


@given(st.lists(st.tuples(PARTS, st.booleans(), st.booleans()), max_size=12), st.integers(0, 2000))
def test_no_pot_ever_pays_below_zero_or_more_than_it_owes_and_no_cent_is_lost(
    rows: list[tuple[list[ClaimPart], bool, bool]], owed: int
) -> None:
    claims = [
        Claim(
            posting=number, entry=f"1:{number}", event_time=number, proven=proven,
            amount_open=amount_open, chain_closed=True, parts=tuple(parts),
        )
        for number, (parts, proven, amount_open) in enumerate(rows)
    ]  # fmt: skip
    try:
        draft = draw_up(claims, dict.fromkeys(PLENTY, owed))
    except ConflictError:
        return
    assert all(0 <= cents <= owed for cents in draft.by_pot().values())
    assert sum(draft.by_pot().values()) == draft.total_cents
    assert {line.claim.posting for line in draft.lines} == {item.posting for item in claims}
    assert all(
        line.claim.proven and not line.claim.amount_open
        and all(part.payable for part in line.claim.parts)
        for line in draft.included
    )  # fmt: skip


def test_the_approver_is_never_the_creator_however_spelled() -> None:
    check_second_person(1, "anna", "bruno")
    with pytest.raises(NotPermittedError, match="BATCH_SAME_PERSON"):
        check_second_person(1, "anna", " Anna ")


def test_a_batch_is_not_paid_before_it_is_approved() -> None:
    with pytest.raises(ConflictError, match="BATCH_STATE"):
        advance(1, BatchState.CREATED, BatchState.IN_PAYMENT)
    with pytest.raises(ConflictError, match="BATCH_STATE"):
        advance(1, BatchState.CREATED, BatchState.PAID)


@pytest.mark.parametrize("end", [BatchState.PAID, BatchState.FAILED])
def test_a_paid_or_failed_batch_stays_so(end: BatchState) -> None:
    for state in BatchState:
        with pytest.raises(ConflictError, match="BATCH_STATE"):
            advance(1, end, state)


def test_a_silent_till_is_named_when_the_period_is_still_open() -> None:
    period = Period(0, 1000)
    check_complete(period, {1: 1000, 2: 5000}, 1000)
    with pytest.raises(ConflictError) as refused:
        check_complete(period, {1: 1000, 9: 999, 2: 0}, 1000)
    assert refused.value.facts["terminals"] == "2, 9"


def test_a_period_without_length_is_refused() -> None:
    with pytest.raises(BadInputError, match="PERIOD_EMPTY"):
        Period(5, 5)


def test_periods_that_only_touch_do_not_overlap() -> None:
    assert not Period(0, 10).overlaps(Period(10, 20))
    assert Period(0, 11).overlaps(Period(10, 20))
