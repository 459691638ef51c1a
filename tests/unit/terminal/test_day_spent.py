"""``day_spent``: per day of Europe/Rome, saturating, taken back by a void of the same day."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardlib.codec.purse import DAY_SPENT_MORE, ZERO_TOTALS, Spend, SpendType, day_number
from terminal.sale.day_spent import after_sale, after_void, spent_today

TODAY = day_number(date(2026, 9, 21))
cents = st.integers(0, 70_000)
stored = st.integers(0, DAY_SPENT_MORE)


def newest(at: datetime, day_spent: int = 700) -> Spend:
    unix = int(at.timestamp())
    return Spend(SpendType.SALE, 4, bytes(8), ZERO_TOTALS, 1, 1, unix, day_spent, bytes(4))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 9, 21, 9, tzinfo=UTC), 700),
        (datetime(2026, 9, 20, 21, 59, 59, tzinfo=UTC), 0),  # 23:59:59 in Rome
        (datetime(2026, 9, 20, 22, 0, 0, tzinfo=UTC), 700),  # midnight in Rome
        (datetime(2026, 9, 23, 9, tzinfo=UTC), 700),  # a later day counts as today
    ],
)
def test_the_day_is_romes(at: datetime, expected: int) -> None:
    assert spent_today(newest(at), TODAY) == expected


def test_winter_time_moves_midnight() -> None:
    january = day_number(date(2026, 1, 10))
    assert spent_today(newest(datetime(2026, 1, 9, 22, 30, tzinfo=UTC)), january) == 0
    assert spent_today(newest(datetime(2026, 1, 9, 23, 0, tzinfo=UTC)), january) == 700


@given(stored, cents)
def test_sales_add_up_and_saturate(before: int, amount: int) -> None:
    exact = before + amount <= DAY_SPENT_MORE
    assert after_sale(before, amount) == (before + amount if exact else DAY_SPENT_MORE)


@given(stored, cents)
def test_a_void_undoes_its_sale_unless_it_saturated(before: int, amount: int) -> None:
    after = after_sale(before, amount)
    undone = after_void(after, amount)
    assert undone == (DAY_SPENT_MORE if after == DAY_SPENT_MORE else before)


@given(stored, cents)
def test_a_void_never_goes_below_zero(before: int, amount: int) -> None:
    assert 0 <= after_void(before, amount) <= DAY_SPENT_MORE
