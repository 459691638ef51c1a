"""PROTOCOL 8, row 1: a shop debits more than it showed, card in its own reader.

The customer sees a small amount and types the PIN; the till takes more. Then it puts the card
in once more, without a PIN. What she notices: the next honest till shows less than she thinks.
"""

from dataclasses import replace

from cardlib.codec.status import Status
from cardlib.wire.entry_body import Intent
from cardlib.wire.ids import PurseId
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.rogue_shop import RogueShop, lowered
from simulator.town.adversaries.till_attack import PRICE, Scene, TillAttack, groceries
from simulator.town.plan.model import Happening
from simulator.town.state import Town


class DebitsMore(TillAttack):
    """A shop with a till of its own programming."""

    name = "debits more than shown"
    expectation = Expectation(
        source="PROTOCOL 8, row 1", claim=Claim.BOUNDED, bound="that balance, with the PIN",
        seen_by="the balance at the next other till",
    )  # fmt: skip
    tries = 2

    def __init__(self) -> None:
        super().__init__()
        self._shop: RogueShop | None = None
        self._believed: dict[PurseId, int] = {}
        self._seen = 0

    def strike(self, scene: Scene) -> None:
        """Shows little, takes all but a little; and tries again when nobody types."""
        shop = self._shop = self._shop or RogueShop(scene.town, "more")
        card = OpenedCard(scene.town, scene.citizen)
        slot, balance = max(card.grants, key=card.balance), groceries(card)
        if not shop.sell(card, slot, balance - PRICE):
            return
        shop.goods -= balance - 2 * PRICE
        self._believed[card.purse] = balance - PRICE
        self.tally.gain += balance - 2 * PRICE
        self.tally.bound += balance
        if _debited_without_pin(OpenedCard(scene.town, scene.citizen.with_pin("")), slot):
            self.tally.overdue.append("the chip was debited without a PIN")
        shop.synchronise()

    def follow(self, town: Town, happening: Happening) -> None:
        """At every purchase of a customer: what the till showed her before."""
        deliveries, self._seen = town.truth.deliveries[self._seen :], len(town.truth.deliveries)
        for given in deliveries:
            believed = self._believed.pop(given.purse, None)
            if believed is None:
                continue
            register = next(one for one in town.tills if one.terminal == given.terminal)
            with register.journal() as journal:
                intent = journal.views.entry(given.seq).decode().body
            assert isinstance(intent, Intent)
            if max(shown.before for shown in intent.shown) < believed:
                self.tally.seen.setdefault("balance shown", happening.id)
            else:
                self.tally.overdue.append(f"the till showed {believed} at {happening.id}")


def _debited_without_pin(card: OpenedCard, slot: int) -> bool:
    """Whether the chip takes one more record; nobody types."""
    more = lowered(card.newest, slot, -PRICE)
    return card.write(replace(more, ctr=more.ctr + 1, prev=card.link)) == Status.OK
