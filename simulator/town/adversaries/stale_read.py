"""Attack 1: a board between card and reader replays old reads, record and MAC together.

The holder buys once with the board watching, and goes to another till, where the board shows
what it saw: a till that believed it would write over the first purchase.
"""

from simulator.faults import StaleRead
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.till_attack import Scene, TillAttack, other_registers, spent


class StaleReadBoard(TillAttack):
    """The holder's own card and PIN, and a thin board."""

    name = "stale read"
    expectation = Expectation(
        source="PROTOCOL 1.1", claim=Claim.STOPPED, seen_by="CARD_MAC_BAD at the till",
        refused_by=(frozenset({"CARD_MAC_BAD"}),),
    )  # fmt: skip

    def strike(self, scene: Scene) -> None:
        """Buys, then buys again with what the card said before."""
        card, board = OpenedCard(scene.town, scene.citizen), StaleRead(scene.citizen.line())
        before = spent(card)
        goods = self.buy(scene, board)
        board.replay()
        elsewhere = next(iter(other_registers(scene.town, scene.register)), scene.register)
        goods += self.buy(scene, board, register=elsewhere)
        self.tally.gain += max(0, goods - (spent(card) - before))
