"""Which lines are looked at, and what a batch of an amount needs."""

import pytest

from backend.domain.review import Rule, rule_for, sample
from backend.errors import BadInputError

SEED = bytes(range(16))


def test_the_same_seed_draws_the_same_lines_and_another_seed_others() -> None:
    assert sample(SEED, 100, 150) == sample(SEED, 100, 150)
    assert sample(SEED, 100, 150) != sample(bytes(16), 100, 150)


@pytest.mark.parametrize(
    ("lines", "permille", "wanted"), [(100, 150, 15), (1, 1, 1), (7, 150, 2), (9, 1000, 9)]
)
def test_a_sample_is_rounded_up(lines: int, permille: int, wanted: int) -> None:
    drawn = sample(SEED, lines, permille)
    assert len(drawn) == wanted
    assert drawn <= set(range(lines))


def test_every_line_may_be_drawn() -> None:
    seen = {place for seed in range(200) for place in sample(bytes([seed]) * 16, 10, 200)}
    assert seen == set(range(10))


def test_the_highest_band_that_an_amount_reaches_counts_and_of_one_the_last() -> None:
    rules = [Rule(0, 50, 1), Rule(100_000, 150, 2), Rule(0, 100, 1), Rule(500_000, 1000, 3)]
    assert rule_for(99_999, rules) == Rule(0, 100, 1)
    assert rule_for(100_000, rules) == Rule(100_000, 150, 2)
    assert rule_for(9_000_000, rules) == Rule(500_000, 1000, 3)
    assert rule_for(5, []) == Rule()


@pytest.mark.parametrize("bad", [(-1, 0, 1), (0, 1001, 1), (0, -1, 1), (0, 0, 0), (0, 0, 4)])
def test_a_band_that_cannot_be_meant_is_refused(bad: tuple[int, int, int]) -> None:
    with pytest.raises(BadInputError, match="BAND_BAD"):
        Rule(*bad)
