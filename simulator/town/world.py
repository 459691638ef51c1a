"""Plays a :class:`Plan`: one event at a time, in virtual time, on the real product.

::

    plan = make_plan(seed=1, days=7, size=Size(people=12, shops=3), faults=0.05)
    with World(plan, watchers=[...]) as world:
        world.play()
    world.town.truth.delivered()        # what truly happened, apart from the product

``world.town`` is what it plays on: see ``simulator.town.state.Town``.
``Watcher.after(town, happening)`` is called after every happening, and
``Watcher.at_end(town)`` once; each raises ``TownError`` on a breach.

An adversary is a watcher too: what it does between happenings, on the cards, lines and tills
of the town, is its own business. A happening that cannot be (a card that is lost, a till that
is closed) does nothing.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, Self

from simulator.town.deeds import DEEDS
from simulator.town.killed import Killed
from simulator.town.mishaps import under_people
from simulator.town.plan.accidents import BY_PEOPLE
from simulator.town.plan.model import Happening, Plan
from simulator.town.state import Town

AT_END = "end"
_NOTE = "in the town at "


class Watcher(Protocol):
    """Looks at a town as it goes on."""

    def after(self, town: Town, happening: Happening) -> None:
        """After every happening; TownError on a breach."""
        ...

    def at_end(self, town: Town) -> None:
        """When everything has happened."""
        ...


class World:
    """Plays one plan on a town of its own, and lets the watchers look."""

    def __init__(self, plan: Plan, watchers: Sequence[Watcher] = ()) -> None:
        self._watchers = watchers
        self.town = Town(plan)
        self.town.pause = self._look

    def play(self) -> None:
        """Everything that the plan holds, then the watchers' last look."""
        for happening in self.town.plan.happenings:
            self.step(happening)
        self.end()

    def step(self, happening: Happening) -> None:
        """One happening, and what the watchers say."""
        with _noting(happening.id):
            self.town.move_to(happening)
            self._act(happening)
            self._look(happening)

    def end(self) -> None:
        """The watchers' last look."""
        with _noting(AT_END):
            for watcher in self._watchers:
                watcher.at_end(self.town)

    def _act(self, happening: Happening) -> None:
        """What it does; where the backend dies under people's hands, they do it again."""
        act = DEEDS[happening.kind]
        if happening.kind not in BY_PEOPLE:
            act(self.town, happening)
            return
        try:
            with under_people(self.town, happening):
                act(self.town, happening)
        except Killed:
            act(self.town, happening)

    def _look(self, happening: Happening) -> None:
        for watcher in self._watchers:
            watcher.after(self.town, happening)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.town.close()


@contextmanager
def _noting(moment: str) -> Generator[None]:
    """Whatever goes wrong says when it did: see :func:`moment_of`."""
    try:
        yield
    except BaseException as error:
        error.add_note(_NOTE + moment)
        raise


def moment_of(error: BaseException) -> str:
    """The happening in which a town ended with ``error``, ``end``, or nothing."""
    notes = getattr(error, "__notes__", ())
    return next((note[len(_NOTE) :] for note in notes if note.startswith(_NOTE)), "")
