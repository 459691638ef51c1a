"""A sale is to be taken back after a load was computed from it: its value would count twice."""

from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.till_attack import Scene, TillAttack
from simulator.town.adversaries.top_up import top_up
from terminal.pay import Order


class VoidAfterLoad(TillAttack):
    """The holder, with a receipt of today and a load in between."""

    name = "void after load"
    expectation = Expectation(
        source="PROTOCOL 2 (Void)", claim=Claim.STOPPED, seen_by="VOID_AFTER_LOAD at the till",
        refused_by=(frozenset({"VOID_AFTER_LOAD"}),),
    )  # fmt: skip

    def strike(self, scene: Scene) -> None:
        """Buys, loads, and asks for the money back."""
        if not self.buy(scene, scene.citizen.line()) or not top_up(scene):
            self.tally.attempts -= 1
            return
        talk = self.talk(scene, scene.citizen.line())
        self.tally.gain -= sum(item.cents for item in self.serve(scene, Order(()), talk))
