"""Verdicts on the records of one purse, without any database."""

from hashlib import sha256

from backend.domain.verdicts import Base, Closing, PostingState, RecordFact, judge
from cardlib.codec.purse import SpendType, Totals

SHOP, OTHER = 1, 2
PROVEN, UNPROVEN = PostingState.PROVEN, PostingState.UNPROVEN
CONTRADICTED = PostingState.CONTRADICTED


def fact(
    ctr: int, name: str, before: str, total: int, *, cents: int = 0, attested: bool = True,
    merchant: int = SHOP, arrival: int = 0, void: bool = False,
    closing: Closing = Closing.COMMITTED,
) -> RecordFact:  # fmt: skip
    spent: Totals = (total, 0, 0, 0, 0, 0)
    return RecordFact(
        ctr=ctr, hash=named(name), prev=named(before)[:4], spent=spent, arrival=arrival or ctr,
        type=SpendType.VOID if void else SpendType.SALE, attested=attested, merchant=merchant,
        closing=closing, lines={1: cents} if cents else None,
    )  # fmt: skip


def named(name: str) -> bytes:
    return sha256(name.encode()).digest()


BASE = Base(0, named("init"))


def states(*facts: RecordFact) -> list[tuple[int, PostingState, bool, bool]]:
    verdict = judge(facts, BASE)
    return [(j.fact.ctr, j.state, j.live, j.amount_open) for j in verdict.judgements]


def test_an_unbroken_chain_is_proven_and_closed() -> None:
    chain = fact(1, "a", "init", 100, cents=100), fact(2, "b", "a", 150, cents=50)
    verdict = judge(chain, BASE)
    assert states(*chain) == [(1, PROVEN, True, False), (2, PROVEN, True, False)]
    assert verdict.card_mark == 2
    assert verdict.newest_proven == chain[1]
    assert not verdict.wanted_proofs


def test_an_amount_is_open_while_the_record_before_is_unknown() -> None:
    verdict = judge([fact(2, "b", "a", 150, cents=50)], BASE)
    (judgement,) = verdict.judgements
    assert (judgement.amount_open, judgement.amounts) == (True, {1: 50})
    assert verdict.card_mark == 0
    assert verdict.wanted_proofs == {1}


def test_the_amount_is_what_the_cards_totals_say_not_the_till() -> None:
    forged = fact(2, "b", "forged", 150, cents=90, merchant=OTHER)
    verdict = judge([fact(1, "a", "init", 100, cents=100), forged], BASE)
    assert verdict.judgements[1].amounts == {1: 50}
    assert verdict.judgements[1].forged_predecessor


def test_a_claim_is_proven_by_what_another_shop_wrote_over_it() -> None:
    claim = fact(1, "a", "init", 100, cents=100, attested=False)
    over = fact(2, "b", "a", 150, cents=50, merchant=OTHER)
    assert states(claim, over)[0] == (1, PROVEN, True, False)
    own = fact(2, "b", "a", 150, cents=50, merchant=SHOP)
    assert states(claim, own)[0] == (1, UNPROVEN, True, False)


def test_totals_that_do_not_add_up_prove_nothing_below() -> None:
    claim = fact(1, "a", "init", 100, cents=100, attested=False)
    over = fact(2, "b", "a", 190, cents=50, merchant=OTHER)
    assert states(claim, over)[0][1] is UNPROVEN


def test_a_proven_record_takes_the_place_of_a_claim() -> None:
    claim = fact(1, "a", "init", 100, cents=100, attested=False, arrival=1)
    proven = fact(1, "b", "init", 70, cents=70, arrival=2)
    assert states(claim, proven) == [(1, CONTRADICTED, False, False), (1, PROVEN, True, False)]


def test_of_two_proven_records_the_continued_one_is_live() -> None:
    first, second = fact(1, "a", "init", 100, arrival=1), fact(1, "b", "init", 70, arrival=2)
    assert [live for _, _, live, _ in states(first, second)] == [True, False]
    after = fact(2, "c", "b", 80, arrival=3)
    verdict = judge([first, second, after], BASE)
    assert verdict.forks == (1,)
    assert [j.live for j in verdict.judgements] == [False, True, True]


def test_a_claim_that_the_next_proven_record_passes_over_is_not_live() -> None:
    claim = fact(1, "a", "init", 100, cents=100, attested=False)
    after = fact(2, "c", "other", 180, cents=80, merchant=OTHER)
    assert states(claim, after) == [(1, UNPROVEN, False, False), (2, PROVEN, True, True)]


def test_a_void_without_its_sale_is_not_live() -> None:
    void = fact(2, "v", "a", 0, cents=100, void=True)
    rival = fact(1, "b", "init", 60, cents=60, merchant=OTHER)
    assert states(rival, void)[1][:3] == (2, PROVEN, False)
    sale = fact(1, "a", "init", 100, cents=100)
    assert states(sale, void)[1] == (2, PROVEN, True, False)


def test_the_sale_below_a_void_that_nobody_told_of_is_asked_for() -> None:
    """A journal that is gone had both: without the sale the card's chain would never close."""
    void = fact(2, "b", "a", 0, void=True, closing=Closing.MISSING)
    assert judge([void], BASE).wanted_proofs == {1}
    sale = fact(1, "a", "init", 100, closing=Closing.MISSING)
    verdict = judge([sale, void], BASE)
    assert (verdict.card_mark, verdict.wanted_proofs) == (2, frozenset())
    assert not judge([fact(1, "x", "init", 100), void], BASE).wanted_proofs, "the card has spoken"


def test_what_a_till_denied_is_no_claim_until_a_card_proves_it() -> None:
    denied = fact(
        1, "a", "init", 100, cents=100, attested=False, closing=Closing.NOT_APPLIED
    )  # fmt: skip
    assert states(denied) == []
    shown = fact(1, "a", "init", 100, cents=100, closing=Closing.NOT_APPLIED)
    assert states(shown) == [(1, PROVEN, True, False)]


def test_records_that_left_the_ring_are_not_asked_for() -> None:
    claims = [fact(1, "a", "init", 1, cents=1, attested=False), fact(30, "z", "y", 99, cents=1)]
    assert judge(claims, BASE).wanted_proofs == {29}
