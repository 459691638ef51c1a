"""Attack 8: a man in the middle lets one card serve two tills at once.

Both tills read, with one challenge and good MACs; then both debit. While the first waits for
the customer to agree, the second one goes through a whole purchase.
"""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.faults import TwoTills
from simulator.town.actors.counter_talk import CounterTalk
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.listener import Listener
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.till_attack import PRICE, Scene, TillAttack, other_registers, spent
from terminal.sale.offer import Offer


@dataclass(slots=True)
class _MeanwhileTalk(CounterTalk):
    """Before the customer agrees, something else happens, once."""

    meanwhile: Callable[[], None] | None = None

    def agree(self, offer: Offer) -> bool:
        """Yes, after it."""
        act, self.meanwhile = self.meanwhile, None
        if act is not None:
            act()
        return CounterTalk.agree(self, offer)


class TwoTillsAtOnce(TillAttack):
    """The holder's own card and PIN, two readers' worth of wires, and an accomplice."""

    name = "two tills at once"
    expectation = Expectation(
        source="PROTOCOL 1.8", claim=Claim.STOPPED,
        seen_by="one challenge: the chip refuses the other debit (6985)",
        refused_by=(frozenset({"6985", "SALE_UNKNOWN"}),),
    )  # fmt: skip

    def strike(self, scene: Scene) -> None:
        """Two purchases, one inside the other."""
        elsewhere = next(iter(other_registers(scene.town, scene.register)), None)
        if elsewhere is None:
            self.tally.attempts -= 1
            return
        card, middle = (
            OpenedCard(scene.town, scene.citizen),
            TwoTills(Listener(scene.citizen.line(), self.refused)),
        )
        before, plain = spent(card), self.talk(scene, middle.till())

        def meanwhile() -> None:
            self.buy(scene, middle.till(), register=elsewhere)

        talk = _MeanwhileTalk(plain.register, plain.citizen, plain.reader, 0, meanwhile=meanwhile)
        given = self.serve(scene, self.order(PRICE + 1), talk)  # the other till's goods with them
        scene.citizen.line().reset()
        goods = sum(item.cents for item in given)
        self.tally.gain += max(0, goods - (spent(card) - before))
