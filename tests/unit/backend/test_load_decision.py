"""What a load writes, decided from what the card attested and what the books say."""

from dataclasses import replace

import pytest

from backend.domain.load import (
    CardView,
    LoadDecision,
    WaitingOrder,
    decide,
    view,
)
from backend.domain.load_comparison import KnownGrant, PurseBooks, SlotView
from backend.errors import ConflictError
from cardlib.codec.purse import (
    EMPTY_GRANT,
    Grant,
    Info,
    Spend,
    SpendType,
    Totals,
)
from cardlib.dialogues.attested import AttestedSpend
from cardlib.dialogues.load import CardState, ReadDown
from cardlib.errors import CardlibError, PurseRefusedError
from cardlib.keys import records
from cardlib.keys.grants import SignedGrant, sign_grant
from cardlib.keys.intent_rule import record_hash
from cardlib.keys.module import GrantReading
from cardlib.wire.ed25519 import PublicKey, SigningKey
from cardlib.wire.entry_body import AttestedRead
from cardlib.wire.ids import PurseId

INFO = Info(bytes(range(8)), bytes.fromhex("015146"), 1, 0xC0, 1, 4000)
K_REC = bytes(16)
ISSUER_KEY = SigningKey(b"\x05" * 32)
TODAY = 2500
ORDER = WaitingOrder(
    slot=1, programme=12, funding_source=1, delta=5000, carry_over=True, categories=15,
    valid_from=2400, valid_to=2860, day_limit_eur=50, issuer_key=1,
)  # fmt: skip


class OneKey:
    """Trust in the one issuer key of these tests."""

    def issuer_key(self, issuer: bytes, key_id: int) -> PublicKey | None:
        return ISSUER_KEY.public if (issuer, key_id) == (INFO.issuer, 1) else None

    def least_grant_seq(self, _purse: PurseId) -> int:
        return 0


def grant(grant_seq: int, granted_total: int, slot: int = 1, **other: int) -> SignedGrant:
    fields = {
        "programme": 12, "categories": 15, "valid_from": 2400, "valid_to": 2860,
        "base_spent": 0, "base_ctr": 0, "flags": 0, "day_limit_eur": 0, "issuer_key": 1,
    } | other  # fmt: skip
    unsigned = Grant(slot=slot, grant_seq=grant_seq, granted_total=granted_total, **fields)
    return sign_grant(ISSUER_KEY, INFO.core, unsigned)


def chain(*steps: tuple[SpendType, int, int]) -> tuple[AttestedSpend, ...]:
    """Records, newest first: an init record, then (type, terminal, slot-1 total) each."""
    spends = [Spend(SpendType.INIT, 0, bytes(8), (0,) * 6, 0, 0, 0, 0, bytes(4))]
    sealed = [records.seal_spend(K_REC, spends[0])]
    for ctr, (kind, terminal, total) in enumerate(steps, 1):
        totals: Totals = (total, 0, 0, 0, 0, 0)
        prev = record_hash(sealed[-1])[:4]
        spends.append(Spend(kind, ctr, bytes((ctr,)) * 8, totals, terminal, ctr, ctr, 0, prev))
        sealed.append(records.seal_spend(K_REC, spends[-1]))
    pairs = reversed(list(zip(spends, sealed, strict=True)))
    return tuple(
        AttestedSpend(AttestedRead(index, record, bytes(8), bytes(8)), spend)
        for index, (spend, record) in enumerate(pairs, 1)
    )


def card(
    grants: dict[int, SignedGrant], spends: tuple[AttestedSpend, ...] | None = None
) -> CardState:
    readings = tuple(
        GrantReading(number, EMPTY_GRANT, grants.get(number)) for number in range(1, 9)
    )
    return CardState(INFO, spends or chain(), readings)


def books(
    state: CardState, *grants: SignedGrant, on_card: int = 0, proven: int | None = None
) -> PurseBooks:
    """Books that know ``grants`` and have proven the record with counter ``proven``."""
    valid = [item for item in state.spends if item.spend is not None]
    ctr = valid[-1].spend.ctr if proven is None and valid[-1].spend else proven or 0
    known = next(item for item in valid if item.spend is not None and item.spend.ctr == ctr)
    seqs = [item.grant.grant_seq for item in grants]
    return PurseBooks(
        info_core=INFO.core,
        usable=True,
        proven_ctr=ctr,
        proven_hash=record_hash(known.record),
        base_ctr=ctr,
        base_hash=record_hash(known.record),
        grant_seq_high=max(seqs, default=0),
        grants=tuple(KnownGrant(grant_seq=g.grant.grant_seq, hash=g.hash) for g in grants),
        slots={1: SlotView(on_card=on_card)},
    )


def decided(
    state: CardState, known: PurseBooks, order: WaitingOrder | None = ORDER, today: int = TODAY
) -> LoadDecision:
    decision = decide(seen(state), state, known, order, today)
    assert isinstance(decision, LoadDecision)
    return decision


def seen(state: CardState) -> CardView:
    return view(state, OneKey())


def signed_of(decision: LoadDecision) -> Grant:
    assert decision.new is not None
    return decision.new.grant


def refusal(state: CardState, known: PurseBooks, order: WaitingOrder | None = ORDER) -> str:
    with pytest.raises((ConflictError, CardlibError)) as caught:
        decide(view(state, OneKey()), state, known, order, TODAY)
    assert isinstance(caught.value, ConflictError | CardlibError)
    return caught.value.code


def test_a_first_load_goes_into_record_one() -> None:
    state = card({})

    decision = decided(state, books(state))

    assert (decision.number, decision.clear, decision.record_map) == (1, (), 0b1)
    new = signed_of(decision)
    assert (new.grant_seq, new.granted_total, new.base_spent, new.base_ctr) == (1, 5000, 0, 0)
    assert (new.day_limit_eur, new.valid_to) == (50, 2860)


def test_the_new_total_is_spent_plus_carried_plus_delta() -> None:
    old = grant(7, 3000)
    state = card({1: old}, chain((SpendType.SALE, 5, 1200)))

    decision = decided(state, books(state, old, on_card=3000, proven=0))

    new = signed_of(decision)
    assert (new.granted_total, new.base_spent, new.base_ctr) == (1200 + 1800 + 5000, 1200, 1)
    assert decision.new is not None
    assert (decision.new.carried, decision.new.left) == (1800, 0)
    assert (decision.number, decision.clear, decision.record_map) == (2, (1,), 0b10)


def test_the_number_follows_the_highest_ever_signed_whatever_became_of_it() -> None:
    old = grant(7, 3000)
    state = card({1: old})
    known = replace(books(state, old, on_card=3000), grant_seq_high=11)

    assert signed_of(decided(state, known)).grant_seq == 12


@pytest.mark.parametrize(
    ("order", "left"),
    [(replace(ORDER, programme=13), 3000), (replace(ORDER, carry_over=False), 3000)],
    ids=["another programme", "not asked for"],
)
def test_nothing_is_carried_into_another_programme(order: WaitingOrder, left: int) -> None:
    old = grant(7, 3000)
    state = card({1: old})

    decision = decided(state, books(state, old, on_card=3000), order)

    assert decision.new is not None
    assert (decision.new.carried, decision.new.left) == (0, left)
    assert signed_of(decision).granted_total == order.delta


def test_what_expired_for_good_is_neither_carried_nor_left_again() -> None:
    old = grant(7, 3000)
    state = card({1: old})
    known = replace(books(state, old), slots={1: SlotView(left=3000)})

    decision = decided(state, known)

    assert decision.new is not None
    assert (decision.new.carried, decision.new.left) == (0, 0)


def test_a_card_that_was_opened_again_and_emptied_once_more_is_not_loaded() -> None:
    old = grant(7, 3000)
    state = card({1: old}, chain((SpendType.SALE, 5, 3000)))
    known = replace(books(state, old), slots={1: SlotView(posted=5000)})

    assert refusal(state, known) == "CARD_ABOVE_LEDGER"
    assert decided(state, replace(known, slots={1: SlotView(posted=3000)})).new is not None


def test_money_of_another_source_is_not_mixed_in() -> None:
    old = grant(7, 3000)
    state = card({1: old})
    known = replace(books(state, old), slots={1: SlotView(on_card=3000, funding_source=2)})

    assert refusal(state, known) == "ORDER_OTHER_FUNDING"


def test_other_slots_keep_their_records_and_map_bits() -> None:
    other, old = grant(6, 900, slot=3), grant(7, 3000)
    state = card({1: old, 4: other})
    known = replace(
        books(state, old, other), slots={1: SlotView(on_card=3000), 3: SlotView(on_card=900)}
    )

    decision = decided(state, known)

    assert (decision.number, decision.clear, decision.record_map) == (2, (1,), 0b1010)


def test_the_grant_of_a_torn_session_goes_out_again_unchanged() -> None:
    old, torn = grant(7, 3000), grant(8, 8000)
    state = card({1: old})

    decision = decided(state, books(state, old, torn, on_card=3000), replace(ORDER, signed=torn))

    assert decision.again == torn
    assert decision.new is None
    assert (decision.number, decision.clear, decision.record_map) == (2, (1,), 0b10)


def test_an_order_that_arrived_is_only_tidied_up_after() -> None:
    old, arrived = grant(7, 3000), grant(8, 8000)
    state = card({1: old, 2: arrived})

    decision = decided(
        state, books(state, old, arrived, on_card=8000), replace(ORDER, signed=arrived)
    )

    assert (decision.new, decision.again) == (None, None)
    assert (decision.clear, decision.record_map) == ((1,), 0b10)


def test_an_order_overtaken_by_a_newer_grant_is_not_written_over_it() -> None:
    newer, torn = grant(9, 3000), grant(8, 8000)
    state = card({1: newer})

    code = refusal(state, books(state, newer, torn, on_card=3000), replace(ORDER, signed=torn))

    assert code == "ORDER_OUTRUN"


def test_with_no_order_only_what_was_left_over_goes() -> None:
    old, new = grant(7, 3000), grant(8, 8000)
    state = card({1: old, 2: new})

    decision = decided(state, books(state, old, new, on_card=8000), order=None)

    assert (decision.new, decision.again) == (None, None)
    assert (decision.clear, decision.record_map) == ((1,), 0b10)


def test_without_a_free_record_the_leftovers_go_first() -> None:
    wallets = {slot: grant(10 + slot, 100, slot=slot) for slot in range(1, 7)}
    leftovers = {7: grant(1, 50), 8: grant(2, 60)}
    state = card(wallets | leftovers)
    known = replace(
        books(state, *wallets.values(), *leftovers.values()),
        slots={slot: SlotView(on_card=100) for slot in range(1, 7)},
    )

    decision = decided(state, known)

    assert (decision.new, decision.again) == (None, None)
    assert decision.clear == (7, 8)


# The card against the books ----------------------------------------------------------------


def test_a_card_below_the_watermark_is_never_loaded() -> None:
    spends = chain((SpendType.SALE, 5, 100), (SpendType.SALE, 5, 200))
    known = books(card({}, spends), proven=2)
    assert refusal(card({}, spends[1:]), known) == "PURSE_ROLLED_BACK"


def test_another_record_under_the_proven_counter_is_never_loaded() -> None:
    known = books(card({}, chain((SpendType.SALE, 5, 100))), proven=1)
    assert refusal(card({}, chain((SpendType.SALE, 6, 100))), known) == "PURSE_ROLLED_BACK"


def test_a_card_may_have_less_than_the_books() -> None:
    """Sales that no till has uploaded yet."""
    old = grant(7, 3000)
    state = card({1: old}, chain((SpendType.SALE, 5, 2900)))
    new = signed_of(decided(state, books(state, old, on_card=3000, proven=0)))
    assert new.granted_total == 3000 + 5000


def test_lowered_totals_are_not_signed_over() -> None:
    """PROTOCOL 1.11: a leaked shop key re-opened value that had been spent."""
    old = grant(7, 3000)
    honest = chain((SpendType.SALE, 5, 2000))
    lowered = chain((SpendType.SALE, 5, 2000), (SpendType.SALE, 6, 500))
    known = books(card({}, honest), old, on_card=1000, proven=1)
    assert refusal(card({1: old}, lowered), known) == "CARD_ABOVE_LEDGER"


def test_history_is_read_before_a_card_above_the_books_is_judged() -> None:
    old = grant(7, 3000)
    spends = chain((SpendType.SALE, 5, 2000), (SpendType.VOID, 5, 0))
    known = books(card({}, spends), old, on_card=1000, proven=1)
    only_newest = card({1: old}, spends[:1])

    decision = decide(view(only_newest, OneKey()), only_newest, known, ORDER, TODAY)

    assert decision == ReadDown(20)
    whole = card({1: old}, spends)
    assert signed_of(decided(whole, known)).granted_total == 3000 + 5000


@pytest.mark.parametrize(
    ("steps", "on_card"),
    [
        ([(SpendType.SALE, 5, 2000), (SpendType.VOID, 6, 0)], 1000),
        ([(SpendType.SALE, 5, 2000), (SpendType.SALE, 5, 2100), (SpendType.VOID, 5, 0)], 1000),
        ([(SpendType.SALE, 5, 2000), (SpendType.VOID, 5, 500), (SpendType.VOID, 5, 0)], 1000),
        ([(SpendType.SALE, 5, 2000), (SpendType.VOID, 5, 500)], 400),
    ],
    ids=["of another terminal", "more than it took", "a void of a void", "less than is missing"],
)
def test_only_a_void_of_its_own_last_sale_explains_a_fall(
    steps: list[tuple[SpendType, int, int]], on_card: int
) -> None:
    old = grant(7, 3000)
    whole = card({1: old}, chain(*steps))
    known = books(whole, old, on_card=on_card, proven=1)
    read_down = replace(whole, spends=whole.spends + _empty(20 - len(whole.spends)))

    assert refusal(read_down, known) == "CARD_ABOVE_LEDGER"


@pytest.mark.parametrize(("settled", "signed"), [(frozenset(), True), (frozenset({4}), False)])
def test_a_void_that_is_in_the_books_again_explains_nothing(
    settled: frozenset[int], signed: bool
) -> None:
    """The first of two voids waits for its till; the second gave its 10.00 back already."""
    old = grant(7, 3000)
    steps = [(SpendType.SALE, 5, 500), (SpendType.VOID, 5, 0), (SpendType.SALE, 6, 1000)]
    whole = card({1: old}, chain(*steps, (SpendType.VOID, 6, 0)))
    known = replace(books(whole, old, on_card=1500, proven=1), settled_voids=settled)

    if signed:
        assert decided(whole, known).new is not None
    else:
        read_down = replace(whole, spends=whole.spends + _empty(20 - len(whole.spends)))
        assert refusal(read_down, known) == "CARD_ABOVE_LEDGER"


def _empty(count: int) -> tuple[AttestedSpend, ...]:
    return (AttestedSpend(AttestedRead(20, bytes(54), bytes(8), bytes(8)), None),) * count


def test_a_chain_that_does_not_link_explains_nothing() -> None:
    old = grant(7, 3000)
    spends = chain((SpendType.SALE, 5, 2000), (SpendType.VOID, 5, 0))
    other = chain((SpendType.SALE, 5, 2001), (SpendType.VOID, 5, 0))
    state = card({1: old}, (spends[0], *other[1:], *_empty(17)))
    known = books(card({}, other), old, on_card=1000, proven=1)
    assert refusal(state, known) == "CARD_ABOVE_LEDGER"


@pytest.mark.parametrize(("newest", "signed"), [(200, True), (120, False)])
def test_where_the_chain_is_cut_what_the_card_still_shows_must_be_in_order(
    newest: int, *, signed: bool
) -> None:
    """The ring has lost the void that the books hold back; a fall above the cut is no void."""
    old = grant(7, 3000)
    steps = [(SpendType.SALE, 5, 1000), (SpendType.VOID, 5, 0), (SpendType.SALE, 6, 100)]
    spends = chain(*steps, (SpendType.SALE, 6, 150), (SpendType.SALE, 6, newest))
    on_card = 3000 - newest - 1000
    known = books(card({}, spends), old, on_card=on_card, proven=1)
    known = replace(known, held_back={2: {1: 1000}})
    cut = card({1: old}, (*spends[:3], *_empty(17)))

    if signed:
        assert decided(cut, known).new is not None
    else:
        assert refusal(cut, known) == "CARD_ABOVE_LEDGER"


def test_two_grants_with_one_number_and_other_bytes_raise_an_alarm() -> None:
    one, two = grant(7, 3000), grant(7, 9000)
    state = card({1: one, 2: two})
    assert refusal(state, books(state, one, on_card=3000)) == "GRANT_TWICE"


def test_a_grant_that_nobody_ordered_raises_an_alarm() -> None:
    stranger = grant(9, 3000)
    state = card({1: stranger})
    assert refusal(state, books(state, on_card=3000)) == "GRANT_UNKNOWN"


def test_a_known_number_with_other_bytes_raises_an_alarm() -> None:
    state = card({1: grant(7, 9000)})
    assert refusal(state, books(state, grant(7, 3000), on_card=9000)) == "GRANT_TWICE"


def test_a_void_grant_found_on_the_card_is_a_case() -> None:
    held = grant(7, 3000)
    state = card({1: held})
    known = replace(
        books(state, on_card=3000),
        grants=(KnownGrant(grant_seq=7, hash=held.hash, void=True),),
    )
    assert refusal(state, known) == "GRANT_WAS_VOID"


def test_a_grant_of_another_purse_counts_as_a_free_record() -> None:
    foreign = sign_grant(ISSUER_KEY, replace(INFO, purse=bytes(8)).core, grant(7, 9000).grant)
    state = card({1: foreign})
    assert decided(state, books(state)).number == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"usable": False}, "PURSE_HOTLISTED"),
        ({"info_core": bytes(16)}, "PURSE_INFO_DIFFERS"),
        ({"grant_seq_high": 0xFFFFFF}, "PURSE_FULL"),
    ],
)
def test_purses_that_must_not_be_loaded(change: dict[str, object], code: str) -> None:
    state = card({})
    assert refusal(state, replace(books(state), **change)) == code  # type: ignore[arg-type]


def test_an_expired_card_is_not_loaded() -> None:
    state = card({})
    with pytest.raises(ConflictError, match="CARD_EXPIRED"):
        decide(view(state, OneKey()), state, books(state), ORDER, today=4001)


def test_an_order_whose_programme_is_over_is_not_signed() -> None:
    state = card({})
    assert refusal(state, books(state), replace(ORDER, valid_to=TODAY - 1)) == "ORDER_EXPIRED"


def test_totals_that_would_not_fit_make_the_purse_full() -> None:
    state = card({})
    assert refusal(state, books(state), replace(ORDER, delta=0xFFFFFF + 1)) == "PURSE_FULL"


def test_a_card_whose_records_all_tore_is_refused() -> None:
    state = card({}, _empty(20))
    with pytest.raises(PurseRefusedError, match="PURSE_NO_RECORD"):
        view(state, OneKey())
