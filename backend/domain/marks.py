"""How complete a figure is: marks over terminals, with their exceptions named (PROTOCOL 6).

Everything that happened before a mark is in the books, but for what the exceptions name:
terminals that a recorded act took out of it, and purses with a sale that nobody could settle.
"""

from collections.abc import Iterable
from dataclasses import dataclass

NEVER = 2**62
"""The mark over no terminal at all: nothing can be missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalReach:
    """One terminal: complete up to ``mark`` (Unix seconds), enrolled at, and whether it is lost.

    Before its enrolment a terminal has nothing to tell.
    """

    number: int
    mark: int
    enrolled_at: int
    active: bool
    lost: bool = False

    @property
    def complete_to(self) -> int:
        """Up to when nothing of it is missing."""
        return max(self.mark, self.enrolled_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Complete up to ``time`` (Unix seconds), except for what is named.

    ``holding``: terminals that nothing newer was heard of; ``lost``: left out by a recorded
    act; ``unresolved``: sales ``terminal:seq`` whose outcome is still unknown.
    """

    time: int
    holding: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    unresolved: tuple[str, ...] = ()

    def passed(self, time: int) -> bool:
        """Whether everything before ``time`` is known."""
        return self.time >= time


def mark_of(terminals: Iterable[TerminalReach], unresolved: Iterable[str] = ()) -> Mark:
    """The mark over ``terminals``: the least of those that count."""
    states = list(terminals)
    counting = [state for state in states if state.active]
    time = min((state.complete_to for state in counting), default=NEVER)
    return Mark(
        time=time,
        holding=tuple(sorted(s.number for s in counting if s.complete_to == time)),
        lost=tuple(sorted(state.number for state in states if state.lost)),
        unresolved=tuple(unresolved),
    )
