"""A till went down with its outcome unknown, and the card's ring of 20 has lost the record since.

The neighbours decide (PROTOCOL 5): what the next till read, wrote over and took.
"""

import pytest

from tests.integration.backend.books import (
    alarms,
    check_export,
    check_laws,
    held,
    payable,
    postings,
)
from tests.integration.backend.builders import Chip, Till, Town

PRICE, RING = 700, 20


@pytest.fixture
def chip(town: Town) -> Chip:
    return town.chip_with(5_000)


@pytest.fixture
def till(town: Town) -> Till:
    return town.till()


@pytest.fixture
def other(town: Town) -> Till:
    return town.till(town.other_shop)


def goes_down(till: Till, chip: Chip, *, applied: bool) -> None:
    """Killed after the debit or before it; the next day the ring has nothing of it any more."""
    seq = till.begin(chip, PRICE)
    if applied:
        till.debit(chip, seq)
    till.unresolved(seq)


def sells_on(other: Till, chip: Chip) -> None:
    for _ in range(RING + 1):
        other.sell(chip, 10)


@pytest.mark.parametrize("first", ["till", "other"])
def test_a_debit_that_another_shop_wrote_over_is_paid(
    town: Town, chip: Chip, till: Till, other: Till, first: str
) -> None:
    goes_down(till, chip, applied=True)
    sells_on(other, chip)
    for one in (till, other) if first == "till" else (other, till):
        one.sync()
        check_laws(town)
    assert payable(town, town.shop) == PRICE
    assert held(town)["on_card"] == chip.balance()
    assert not any(posting.amount_open for posting in postings(town, chip))
    assert not alarms(town)
    check_export(town)


@pytest.mark.parametrize("first", ["till", "other"])
def test_a_debit_that_never_happened_takes_nothing(
    town: Town, chip: Chip, till: Till, other: Till, first: str
) -> None:
    goes_down(till, chip, applied=False)
    sells_on(other, chip)
    for one in (till, other) if first == "till" else (other, till):
        one.sync()
    assert payable(town, town.shop) == 0
    assert held(town)["on_card"] == chip.balance()
    check_laws(town)
    check_export(town)


def test_a_debit_that_only_its_own_shop_wrote_over_waits_for_a_person(
    town: Town, chip: Chip, till: Till
) -> None:
    """A shop's two tills could agree on a sale that another shop made (PROTOCOL 1.10)."""
    beside = town.till(town.shop)
    goes_down(till, chip, applied=True)
    sells_on(beside, chip)
    till.sync()
    beside.sync()
    assert held(town)["suspense"] == PRICE
    assert held(town)["on_card"] == chip.balance()
    check_laws(town)
    check_export(town)


def test_a_till_that_told_only_of_its_intent_is_paid_when_it_tells_the_rest(
    town: Town, chip: Chip, till: Till, other: Till
) -> None:
    seq = till.begin(chip, PRICE)
    till.debit(chip, seq)
    till.sync()
    sells_on(other, chip)
    other.sync()
    assert (payable(town, town.shop), held(town)["suspense"]) == (0, PRICE)
    check_export(town)
    till.unresolved(seq)
    till.sync()
    assert payable(town, town.shop) == PRICE
    check_laws(town)
    check_export(town)
