"""What all adversaries have in common: they act in turn, so many times, and keep a tally."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from simulator.town.adversaries.adversary import Expectation, Tally
from simulator.town.adversaries.losses import shop_losses
from simulator.town.plan.model import Happening, Kind
from simulator.town.state import Town


class Attacker(ABC):
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

    def follow(self, town: Town, happening: Happening) -> None:  # noqa: B027 - most have none
        """After every happening: what an earlier attempt still needs, and who noticed it."""

    def tempt(self, town: Town, happening: Happening) -> bool:
        """Acts if it is its turn; whether that was an attempt, which must be refused as stated."""
        before, met = self.tally.attempts, self.tally.refusals.copy()
        if happening.kind in self.turn and before < self.tries:
            self.take_turn(town, happening)
        if self.tally.attempts == before:
            return False
        self._look_for_refusals(before, met, happening)
        return True

    @abstractmethod
    def take_turn(self, town: Town, happening: Happening) -> None:
        """One turn; counts its attempts."""

    def at_end(self, town: Town) -> None:
        """The sums, and whether an honest shop has lost anything."""
        self.sum_up(town)
        for shop, cents in shop_losses(town, self.uncertified).items():
            self.tally.overdue.append(f"{shop} lost {cents} cents")

    @property
    def uncertified(self) -> frozenset[tuple[int, int]]:
        """Its sales, by terminal and intent, whose loss the threat model leaves with the shop."""
        return frozenset()

    def sum_up(self, town: Town) -> None:  # noqa: B027 - nor these
        """At the end: gain, bound, and what is overdue."""

    def _look_for_refusals(self, turn: int, met: Mapping[str, int], happening: Happening) -> None:
        """An attempt that came to nothing for another reason has shown nothing."""
        new = {code for code, count in self.tally.refusals.items() if count > met.get(code, 0)}
        missing = self.expectation.refusals_due(turn) - new
        if missing:
            codes = ", ".join(sorted(missing))
            self.tally.unrefused.append(f"{happening.id} was not refused by {codes}")
