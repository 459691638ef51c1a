"""What all adversaries have in common: they act in turn, so many times, and keep a tally."""

from typing import ClassVar

from simulator.town.adversaries.adversary import Expectation, Tally
from simulator.town.plan.model import Happening, Kind
from simulator.town.state import Town


class Attacker:
    """Implements ``adversary.Adversary``; a subclass says what it does in its turn."""

    name: ClassVar[str]
    expectation: ClassVar[Expectation]
    turn: ClassVar[frozenset[Kind]] = frozenset({Kind.BUY})
    """After happenings of which kinds it acts."""
    tries: ClassVar[int]
    """After so many attempts it acts no more."""

    def __init__(self) -> None:
        self.tally = Tally()

    def after(self, town: Town, happening: Happening) -> None:
        """Looks what became of what it did; then acts, or waits for a better moment."""
        self.follow(town, happening)
        self.tempt(town, happening)

    def follow(self, town: Town, happening: Happening) -> None:
        """After every happening: what an earlier attempt still needs, and who noticed it."""

    def tempt(self, town: Town, happening: Happening) -> bool:
        """Acts if it is its turn; whether that was an attempt."""
        before = self.tally.attempts
        if happening.kind in self.turn and before < self.tries:
            self.take_turn(town, happening)
        return self.tally.attempts > before

    def take_turn(self, town: Town, happening: Happening) -> None:
        """One turn; counts its attempts."""
        raise NotImplementedError

    def at_end(self, town: Town) -> None:
        """The sums."""
