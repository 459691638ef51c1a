"""Who pays what: as much as possible, earliest expiry first, within every limit."""

from itertools import chain, combinations

from hypothesis import given
from hypothesis import strategies as st

from terminal.sale.allocation import Allocation, Source, allocate

FOOD, HYGIENE = 0, 1


def test_a_category_is_not_left_unpaid_because_of_the_order() -> None:
    """The wallet that expires first could pay the food, but then nobody pays the hygiene."""
    both = Source(1, valid_to=10, cents=1000, categories=0b11)
    food = Source(2, valid_to=20, cents=1000, categories=0b01)
    split = allocate([both, food], {FOOD: 1000, HYGIENE: 1000})
    assert split.paid == {(1, HYGIENE): 1000, (2, FOOD): 1000}


def test_the_earlier_expiry_pays_first() -> None:
    late, soon = Source(1, 20, 1000, 1), Source(2, 10, 300, 1)
    assert allocate([late, soon], {FOOD: 500}).paid == {(2, FOOD): 300, (1, FOOD): 200}


def test_the_smallest_day_limit_of_the_wallets_touched_applies() -> None:
    limited, free = Source(1, 10, 1000, 1, day_limit_cents=500), Source(2, 20, 1000, 1)
    assert allocate([limited, free], {FOOD: 400}).paid == {(1, FOOD): 400}
    # 800 can be paid only without touching the limited wallet
    assert allocate([limited, free], {FOOD: 800}).paid == {(2, FOOD): 800}


def test_what_was_spent_today_counts_for_every_limited_wallet() -> None:
    limited = Source(1, 10, 1000, 1, day_limit_cents=500)
    assert allocate([limited], {FOOD: 400}, spent_today=450).total == 50
    assert allocate([limited], {FOOD: 400}, spent_today=0xFFFF).total == 0


def test_the_sale_limit_bounds_the_whole() -> None:
    sources = [Source(1, 10, 1000, 1), Source(2, 20, 1000, 2)]
    split = allocate(sources, {FOOD: 800, HYGIENE: 800}, sale_limit=1000)
    assert (split.of_slot(1), split.of_slot(2)) == (800, 200)


sources = st.lists(
    st.builds(
        Source,
        slot=st.integers(1, 6),
        valid_to=st.integers(0, 5),
        cents=st.integers(0, 50),
        categories=st.integers(0, 15),
        day_limit_cents=st.sampled_from([0, 0, 0, 20, 60]),
    ),
    unique_by=lambda source: source.slot,
    max_size=6,
)
demands = st.dictionaries(st.integers(0, 3), st.integers(1, 60), max_size=4)


def cut(found: list[Source], demand: dict[int, int]) -> int:
    """The most that can be paid: the smallest cut (Ford and Fulkerson), by trying all."""
    subsets = chain.from_iterable(combinations(demand, size) for size in range(len(demand) + 1))
    return min(
        sum(demand[category] for category in demand if category not in chosen)
        + sum(item.cents for item in found if any(item.allows(bit) for bit in chosen))
        for chosen in subsets
    )


def check(split: Allocation, found: list[Source], demand: dict[int, int]) -> None:
    by_slot = {item.slot: item for item in found}
    for (slot, category), cents in split.paid.items():
        assert cents > 0
        assert by_slot[slot].allows(category)
    assert all(split.of_slot(slot) <= item.cents for slot, item in by_slot.items())
    assert all(split.of_category(bit) <= cents for bit, cents in demand.items())


@given(sources, demands)
def test_without_limits_as_much_as_possible_is_paid(
    found: list[Source], demand: dict[int, int]
) -> None:
    free = [Source(item.slot, item.valid_to, item.cents, item.categories) for item in found]
    split = allocate(free, demand)
    check(split, free, demand)
    assert split.total == cut(free, demand)


@given(sources, demands, st.integers(0, 70), st.integers(0, 100))
def test_limits_hold_and_leave_nothing_that_some_wallets_could_pay(
    found: list[Source], demand: dict[int, int], spent: int, sale_limit: int
) -> None:
    split = allocate(found, demand, spent_today=spent, sale_limit=sale_limit)
    check(split, found, demand)
    touched = [item for item in found if split.of_slot(item.slot)]
    limits = [item.day_limit_cents for item in touched if item.day_limit_cents]
    if limits:
        assert spent + split.total <= min(limits)
    assert not sale_limit or split.total <= sale_limit
    assert split.total == best_by_trying(found, demand, spent, sale_limit)


def best_by_trying(found: list[Source], demand: dict[int, int], spent: int, sale_limit: int) -> int:
    """Every set of wallets with its own bound."""
    best = 0
    for size in range(len(found) + 1):
        for chosen in combinations(found, size):
            limits = [item.day_limit_cents for item in chosen if item.day_limit_cents]
            bound = min(limits) - spent if limits else 1 << 30
            bound = min(bound, sale_limit or bound)
            best = max(best, min(bound, cut(list(chosen), demand)))
    return best


@given(sources, demands)
def test_a_wallet_never_pays_less_because_a_later_one_joins(
    found: list[Source], demand: dict[int, int]
) -> None:
    free = sorted(
        (Source(item.slot, item.valid_to, item.cents, item.categories) for item in found),
        key=lambda item: (item.valid_to, item.slot),
    )
    whole = allocate(free, demand)
    for count in range(len(free)):
        part = allocate(free[:count], demand)
        assert all(part.of_slot(item.slot) == whole.of_slot(item.slot) for item in free[:count])
