"""A till that agrees to what it should refuse is caught, by what the town knows by itself."""

from dataclasses import replace
from typing import Any

import pytest

from cardlib.wire.entry_body import Intent
from simulator.town.checks.limits import day_of
from tests.integration.backend.builders import START, Chip, Till
from tests.town.built import BuiltTown

DAY_MS = 86_400_000


@pytest.fixture
def chip(built: BuiltTown) -> Chip:
    return built.chips[0].chip


@pytest.fixture
def till(built: BuiltTown) -> Till:
    return built.built[0].till


def agrees(till: Till, chip: Chip, cents: int, **plan: Any) -> None:
    """An intent, with another plan than the till would make."""
    intent: Intent = till.intent(chip, cents)
    till.write(replace(intent, plan=replace(intent.plan, **plan)))


def caught(built: BuiltTown) -> str:
    error = built.caught("TOWN_LIMIT_PASSED")
    assert error.facts["law"] == 3
    return str(error.facts["what"])


def test_a_till_that_has_heard_nothing_for_long_is_caught(
    built: BuiltTown, chip: Chip, till: Till
) -> None:
    built.built[0].hears_ms = till.town.clock.unix_ms() - 10 * DAY_MS
    till.begin(chip, 100)
    assert "10 days" in caught(built)


def test_a_till_may_sell_on_the_last_day_of_its_patience(
    built: BuiltTown, chip: Chip, till: Till
) -> None:
    built.built[0].hears_ms = till.town.clock.unix_ms() - 10 * DAY_MS + 1
    till.begin(chip, 100)
    built.look()


@pytest.mark.parametrize("told", [0, 1])
def test_a_reported_card_is_served_only_by_who_has_not_heard(
    built: BuiltTown, chip: Chip, till: Till, told: int
) -> None:
    built.declared.reported[chip.purse] = START * 1000
    built.built[0].knows_ms = START * 1000 - 1 + told
    till.begin(chip, 100)
    if told:
        assert "reported" in caught(built)
    else:
        built.look()


def test_a_right_pin_after_three_wrong_ones_is_caught(
    built: BuiltTown, chip: Chip, till: Till
) -> None:
    built.declared.pins_wrong[chip.purse] = 3
    till.begin(chip, 100)
    assert "PIN" in caught(built)


def test_a_day_that_the_card_does_not_say_is_caught(
    built: BuiltTown, chip: Chip, till: Till
) -> None:
    agrees(till, chip, 100, day_spent=99)
    assert built.caught("TOWN_LIMIT_PASSED").facts["law"] == 3


def test_a_cent_above_the_day_limit_is_caught(
    built: BuiltTown, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(built.town, "day_limit_eur", 5)
    chip = built.chip(10_000)
    built.sell(till, chip, 300)
    built.sell(till, chip, 200)
    built.look()
    till.begin(chip, 1)
    assert built.caught("TOWN_LIMIT_PASSED").facts["cents"] == 1


def test_a_void_gives_the_day_its_cents_back(
    built: BuiltTown, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(built.town, "day_limit_eur", 5)
    chip = built.chip(10_000)
    sale = built.sell(till, chip, 500)
    built.void(till, chip, sale, 500)
    built.sell(till, chip, 500)
    built.look()


@pytest.mark.parametrize("after", [0, 1])
def test_a_wallet_pays_on_its_last_day_and_not_after_it(
    built: BuiltTown, till: Till, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    today = day_of(till.town.clock.seconds)
    monkeypatch.setattr(built.town, "valid_to", today - after)
    chip = built.chip(10_000)
    till.begin(chip, 100)
    if after:
        assert f"not on {today}" in caught(built)
    else:
        built.look()


def test_goods_of_another_category_are_caught(built: BuiltTown, chip: Chip, till: Till) -> None:
    till.write(till.intent(chip, 100, category=31))
    assert "category 31" in caught(built)
