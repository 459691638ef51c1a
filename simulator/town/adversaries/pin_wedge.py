"""Attack 5: a board answers 9000 to VERIFY, for somebody who has the card and not its PIN."""

from simulator.faults import PinWedge
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.listener import Listener
from simulator.town.adversaries.till_attack import Scene, TillAttack


class PinWedgeThief(TillAttack):
    """A card that was lifted from its holder and is put back afterwards, and a board."""

    name = "pin wedge"
    expectation = Expectation(
        source="PROTOCOL 1.5", claim=Claim.STOPPED,
        seen_by="the chip answers 6982; RECOVERY_NOT_APPLIED",
        refused_by=(frozenset({"6982", "RECOVERY_NOT_APPLIED"}),),
    )  # fmt: skip

    def strike(self, scene: Scene) -> None:
        """Buys with any PIN."""
        thief = scene.citizen.with_pin(scene.citizen.wrong_pin())
        wedge = PinWedge(Listener(scene.citizen.line(), self.refused))
        self.tally.gain += self.buy(scene, wedge, citizen=thief)
        scene.citizen.line().reset()
