"""A till went down with its outcome unknown, and the card's ring of 20 has lost the record since.

The neighbours decide (PROTOCOL 5): what the next till read, wrote over and took.
"""

from dataclasses import replace

import pytest

from backend.adapters.repositories.verdicts import TOLD_MAX
from cardlib.keys import records
from tests.integration.backend.books import (
    alarms,
    check_export,
    check_laws,
    held,
    payable,
    postings,
)
from tests.integration.backend.builders import Chip, Till, Town
from tests.integration.backend.test_rogue_shops import claim_without_card

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


def told(town: Town) -> list[tuple[int, int, bytes, bytes]]:
    with town.work.begin() as unit:
        return unit.verdicts.decided_intents()


def test_two_claims_over_one_parked_debit_keep_no_till_from_reporting(
    town: Town, chip: Chip, till: Till, other: Till
) -> None:
    goes_down(till, chip, applied=True)
    for cents in (100, 200):
        claim_without_card(other, chip.twin(), cents)
    for one in (other, till):
        assert {verdict.reason for verdict in one.sync().verdicts} == {""}
    check_laws(town)


def test_a_till_is_told_nothing_that_its_card_still_shows(
    town: Town, chip: Chip, till: Till, other: Till
) -> None:
    """Whoever has a shop's key and the card wrote over it: the fresh read of the card tells."""
    twin = chip.twin()
    goes_down(till, chip, applied=True)
    till.sync()
    seq = other.begin(twin, 1)
    chip.write(other.record(twin, other.journal[seq - 1]))
    other.commit(chip, seq)
    other.sync()
    assert not told(town)


def test_a_till_is_not_told_of_other_bytes_under_its_own_hash(
    town: Town, chip: Chip, till: Till
) -> None:
    seq = till.begin(chip, PRICE)
    spend = chip.clear(till.debit(chip, seq))
    till.unresolved(seq)
    till.sync()
    forged = replace(spend, spent=(1, 0, 0, 0, 0, 0))
    chip.write(records.seal_spend(chip.keys.debit.record, forged))
    other = town.till(town.other_shop)
    other.prove(chip, 1)
    other.sync()
    with town.work.begin() as unit:
        assert unit.verdicts.decided_intents() == []


def test_a_shop_that_parks_much_does_not_fill_every_tills_bundle(town: Town, chip: Chip) -> None:
    till, twin = town.till(), chip.twin()
    till.sell(chip, 1)
    for _ in range(TOLD_MAX + 5):
        till.unresolved(till.begin(twin.twin(), 1))
    sells_on(till, chip)
    till.sync()
    assert len(told(town)) == TOLD_MAX


def test_a_debit_that_its_till_denied_proves_nothing_below_it(
    town: Town, chip: Chip, till: Till, other: Till
) -> None:
    """The card shows neither of them any more; the auditor holds the same."""
    other.sell(chip, 100, tc=False)
    seq = till.begin(chip, PRICE)
    till.debit(chip, seq)
    till.not_applied(chip, seq)
    till.sell(chip, 10)
    for one in (other, till):
        one.sync()
        check_laws(town)
    assert payable(town, town.other_shop) == 0
    check_export(town)
