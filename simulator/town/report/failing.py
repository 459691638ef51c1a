"""What a broken law comes to: the shortest history that still breaks it, and its command."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cardlib.ports import Clock
from simulator.town.plan.model import Plan
from simulator.town.shrink import BROKEN, RUNS_MAX, Failure, Play, Recipe, Shrunk, shrink

Told = Callable[[int, int, int], None]
"""Told after each run: runs so far, and happenings and accidents of the shortest history."""


@dataclass(slots=True)
class Shortest:
    """Plays plans for ``shrink`` and keeps the shortest that fails as wanted."""

    wanted: Failure
    play: Play
    plan: Plan
    failure: Failure
    told: Told
    runs: int = 0

    def __call__(self, plan: Plan) -> None:
        """Plays; raises whatever goes wrong."""
        self.runs += 1
        try:
            self.play(plan)
        except BROKEN as error:
            failure = Failure.of(error)
            if failure.same_as(self.wanted) and _size(plan) < _size(self.plan):
                self.plan, self.failure = plan, failure
            raise
        finally:
            self.told(self.runs, *_size(self.plan))


def shortest(
    recipe: Recipe, failure: Failure, play: Play, clock: Clock, told: Told, *, seconds_max: float
) -> Shrunk:
    """Shrinks for ``seconds_max`` at most; at Ctrl-C with the shortest found so far."""
    whole = recipe.plan()
    kept = Shortest(failure, play, whole, failure, told)
    try:
        return shrink(recipe, failure, kept, clock, runs_max=RUNS_MAX, seconds_max=seconds_max)
    except KeyboardInterrupt:
        left = {item.id for item in kept.plan.happenings} | {one.id for one in kept.plan.accidents}
        gone = {item.id for item in whole.happenings} | {one.id for one in whole.accidents}
        shorter = recipe.without(gone - left)
        return Shrunk(shorter, kept.plan, kept.failure, kept.runs, whole=False)


def _size(plan: Plan) -> tuple[int, int]:
    return len(plan.happenings), len(plan.accidents)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command asks for, so that another one can ask for it again."""

    recipe: Recipe
    adversaries: tuple[str, ...] = ()
    replayed: Path | None = None

    @property
    def command(self) -> str:
        """Plays the same again."""
        return shlex.join(["borsellino", "sim", "town", *self._town(), *self._attacks()])

    def replay(self, file: Path) -> str:
        """Plays what is kept in ``file``."""
        words = ["borsellino", "sim", "town", "--replay", str(file), *self._attacks()]
        return shlex.join(words)

    def _town(self) -> list[str]:
        if self.replayed is not None:
            return ["--replay", str(self.replayed)]
        recipe = self.recipe
        return [
            "--seed", str(recipe.seed), "--days", str(recipe.days),
            "--people", str(recipe.people), "--shops", str(recipe.shops),
            "--trips", _number(recipe.trips), "--faults", _number(recipe.faults),
            *(["--one-till"] if recipe.one_till else []),
        ]  # fmt: skip

    def _attacks(self) -> list[str]:
        return [word for name in self.adversaries for word in ("--adversary", name)]


def _number(value: float) -> str:
    """As short as it can be read back."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)
