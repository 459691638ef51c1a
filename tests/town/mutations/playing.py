"""Plays a town with a defect in it, and says what caught it."""

from collections.abc import Iterable
from dataclasses import dataclass
from unittest.mock import patch

from cardlib.errors import CodedError
from simulator.errors import TownError
from simulator.town.actors import bank
from simulator.town.adversaries.adversary import Adversary, Claim, judge
from simulator.town.checks.town_checks import AT_END, TownChecks
from simulator.town.world import Watcher, World
from tests.town.mutations.defect import Defect
from tests.town.mutations.towns import TOWNS

SEEDS = 20
_BANK_FAILS = 0.5
"""Half of the payments come back: there are few of them."""


@dataclass(frozen=True, slots=True)
class Caught:
    """How a seed ended that was not clean.

    ``code``: of the check, or of the error that stopped the town; ``law``: the one that the
    check stands for, 0 for an alarm, an adversary or a stopped town.
    """

    seed: int
    code: str
    law: int
    happening: str
    what: str


def play(town: str, seed: int) -> Caught | None:
    """One seed of a town on the product as it is now; None when nothing is wrong."""
    adversaries: list[Adversary] = [make() for make in TOWNS[town].adversaries]
    watchers: list[Watcher] = [*adversaries, TownChecks()]
    going_on = AT_END
    try:
        with (
            patch.object(bank, "FAILS", _BANK_FAILS),
            World(TOWNS[town].plan(seed), watchers=watchers) as world,
        ):
            for happening in world.town.plan.happenings:
                going_on = happening.id
                world.step(happening)
                for adversary in adversaries:
                    if _shown(adversary):
                        judge(adversary, seed)
            going_on = AT_END
            world.end()
        for adversary in adversaries:
            if adversary.tally.attempts:  # who had no moment to strike shows nothing
                judge(adversary, seed)
    except TownError as error:
        facts = error.facts
        what = f"{facts.get('subject')}: {facts.get('what')}"
        return Caught(seed, error.code, int(facts["law"]), going_on, what)
    except Exception as error:  # noqa: BLE001 - a product that stops the town is caught as well
        code = error.code if isinstance(error, CodedError) else type(error).__name__
        return Caught(seed, code, 0, going_on, str(error))
    return None


def _shown(adversary: Adversary) -> bool:
    """Whether there is no need to wait for the end."""
    stopped = adversary.expectation.claim is Claim.STOPPED
    return bool(adversary.tally.overdue) or (stopped and adversary.tally.gain > 0)


def hunt(defect: Defect, seeds: Iterable[int]) -> Caught | None:
    """What catches it on the first of ``seeds`` that does; None when none does.

    AssertionError for a seed on which the town fails before the defect has done anything.
    """
    for seed in seeds:
        with defect.applied() as acted:
            caught = play(defect.town, seed)
        if caught is not None:
            assert acted.count, f"{defect.town} {seed} fails without {defect.name}: {caught}"
            return caught
    return None
