"""Plays a town while somebody looks on, to its end, to a breach, or until Ctrl-C."""

import signal
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from rich.console import Console

from cardlib.ports import Clock
from simulator.town.adversaries.adversary import Adversary, judge
from simulator.town.adversaries.roll import called
from simulator.town.checks.town_checks import TownChecks
from simulator.town.logs import quiet
from simulator.town.plan.model import Plan
from simulator.town.reached import watching
from simulator.town.report.failing import Asked
from simulator.town.report.figures import Figures, gather
from simulator.town.report.observer import Observer
from simulator.town.report.show import Show, show_for
from simulator.town.report.words import Words
from simulator.town.shrink import BROKEN
from simulator.town.state import Town
from simulator.town.world import World


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it; ``stopped``: somebody pressed Ctrl-C."""

    figures: Figures
    failure: BaseException | None
    stopped: bool


@dataclass(slots=True)
class _Stop:
    asked: bool = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def play(
    asked: Asked, plan: Plan, words: Words, console: Console, clock: Clock, *,
    plain: bool = False, silent: bool = False,
) -> Played:  # fmt: skip
    """The whole plan, or up to where it broke or was stopped; with its figures."""
    attackers, checks = called(asked.adversaries), TownChecks()
    observer = Observer(checks)
    show = show_for(console, observer, words, clock, plain=plain, silent=silent)
    failure: BaseException | None = None
    with quiet(), watching() as reached, _town(plan, attackers, checks, observer) as world:
        with _stopped_by_hand() as stop, show:
            try:
                _go_through(world, attackers, show, stop)
            except BROKEN as error:
                failure = error
        figures = gather(
            world.town, observer, reached, attackers, failure,
            command=asked.command, lang=words.lang,
        )  # fmt: skip
    return Played(figures, failure, stop.asked)


def play_again(asked: Asked, plan: Plan) -> None:
    """The same with nobody looking; raises what goes wrong. For shrinking."""
    attackers = called(asked.adversaries)
    with quiet(), World(plan, watchers=[*attackers, TownChecks()]) as world:
        world.play()
        _judge(attackers, world.town)


def _town(
    plan: Plan, attackers: Sequence[Adversary], checks: TownChecks, observer: Observer
) -> World:
    return World(plan, watchers=[*attackers, checks, observer])


def _go_through(world: World, attackers: Sequence[Adversary], show: Show, stop: _Stop) -> None:
    for happening in world.town.plan.happenings:
        if stop.asked:
            return
        world.step(happening)
        show.look(world.town)
    world.end()
    _judge(attackers, world.town)


def _judge(attackers: Sequence[Adversary], town: Town) -> None:
    for attacker in attackers:
        judge(attacker, town.seed)


@contextmanager
def _stopped_by_hand() -> Generator[_Stop]:
    """Ctrl-C lets the happening that is under way come to its end."""
    stop = _Stop()
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
