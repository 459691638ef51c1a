"""A machine killed, or without power, at every durable step of its programs."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from simulator.town.disk import SimulatedDisk
from simulator.town.killed import Killed
from tests.integration.terminal.stage import (
    Customer,
    Stage,
    StageCard,
    assert_books,
    codes,
)

SIDES = ("before", "after")
SALE_STEPS = 5
"""Ballast: content, name, directory; the intent; the sale."""
START_STEPS = 16
"""Certificate and bundle, three each; the rest makes the journal and syncs it."""


class Machine:
    """A till's machine whose disk dies at a step; ``cut``: the power is gone, too."""

    def __init__(self, seed: object, *, cut: bool) -> None:
        self.rng = Random(str(seed))
        self.disk = SimulatedDisk()
        self.stage = Stage(Path("/shop"), storage=self.disk)
        self._cut = cut

    def die(self, number: int, side: str, work: Callable[[], object]) -> bool:
        """Whether ``work`` died; the machine is on again."""
        assert side in ("before", "after")
        self.disk.kill_at(number, "before" if side == "before" else "after")
        with suppress(Killed):
            work()
        dead = self.disk.dead
        if self._cut:
            self.disk.power_cut(self.rng)
        self.disk.restart()
        return dead


def settle_and_sell(machine: Machine, card: StageCard) -> None:
    """What the next start does; the books are right before and after."""
    with machine.stage.till() as till:
        assert_books(card, till)
        shop = Customer(till, card.plug())
        shop.counter.recovery().settle(shop.card)
        assert not till.journal.views.unsettled()
        assert shop.buy(1_00).goods_are_due
        assert_books(card, till)


def test_a_sale_has_as_many_durable_steps_as_are_killed_below() -> None:
    machine = Machine("count", cut=False)
    card, till = machine.stage.card(), machine.stage.till()
    before = machine.disk.steps
    assert Customer(till, card.plug()).buy(12_50).goods_are_due
    assert machine.disk.steps - before == SALE_STEPS


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("step", range(1, SALE_STEPS + 1))
def test_a_sale_killed_at_any_durable_step(step: int, side: str, cut: bool) -> None:
    machine = Machine((step, side, cut), cut=cut)
    card, till = machine.stage.card(), machine.stage.till()
    shop = Customer(till, card.plug())
    assert machine.die(step, side, lambda: shop.buy(12_50))
    settle_and_sell(machine, card)


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("step", range(1, START_STEPS + 1))
def test_a_first_start_killed_at_any_durable_step(step: int, side: str, cut: bool) -> None:
    machine = Machine((step, side, cut), cut=cut)
    card = machine.stage.card()
    assert machine.die(step, side, machine.stage.till)
    settle_and_sell(machine, card)


def test_a_first_start_has_as_many_durable_steps() -> None:
    machine = Machine("count", cut=False)
    machine.stage.till()
    assert machine.disk.steps == START_STEPS


@pytest.mark.parametrize("side", SIDES)
def test_a_till_that_ends_may_be_killed_while_it_tidies_up(side: str) -> None:
    step = 0
    while True:
        step += 1
        machine = Machine((step, side), cut=True)
        card, till = machine.stage.card(), machine.stage.till()
        assert Customer(till, card.plug()).buy(12_50).goods_are_due
        if not machine.die(step, side, till.close):
            break
        with machine.stage.till() as again:
            assert codes(again) == ["grant_seen", "intent", "sale"]
        settle_and_sell(machine, card)
    assert step > 3
