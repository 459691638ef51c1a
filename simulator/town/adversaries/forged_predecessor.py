"""PROTOCOL 1.10: a rogue shop forges the record that it claims to have read.

It has M_DEBIT, a till, and a customer's card with the PIN typed. The customer buys for a
little; the record on the card is true, but what it is said to follow is not: the intent's
lines, and with them the claim, are larger.
"""

from typing import ClassVar

from cardlib.keys import records
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.books_attack import BooksAttack
from simulator.town.adversaries.rogue_shop import lowered
from simulator.town.plan.model import Happening

_SALE, _MORE = 120, 900


class ForgedPredecessor(BooksAttack):
    """The amount of a posting is the difference of two posted or attested neighbours."""

    name: ClassVar[str] = "forged predecessor"
    expectation: ClassVar[Expectation] = Expectation(
        source="PROTOCOL 1.10, 6", claim=Claim.STOPPED,
        seen_by="PREDECESSOR_FORGED once the neighbour below is known",
        told_by=frozenset({"PREDECESSOR_FORGED"}),
    )  # fmt: skip

    def prepare(self) -> None:
        """Opens the shop."""
        self.open_shop()
        self.town.declared.expect("PREDECESSOR_FORGED", terminal=self.shop.register.terminal)

    def act(self, happening: Happening) -> None:
        """A customer who has just bought elsewhere comes by."""
        card = self.victim(happening)
        slot = self.slot_with(card, _SALE) if card else None
        if card is None or slot is None or card.newest.spent[slot - 1] < _MORE:
            return
        self.town.declared.rogue_purse(card.purse)  # its ring names a record that never was
        forged = lowered(card.newest, slot, _MORE)
        entry, record = self.shop.intend(card, slot, _SALE + _MORE, before=forged)
        spend = records.open_spend(card.keys.record, record)
        assert spend is not None
        self.tally.refuse(f"{card.write(spend):04X}")
        self.shop.commit(entry, record, card.attest())
        self.shop.goods += _SALE
        self.tally.attempts += 1
        self.shop.synchronise()

    def count(self) -> None:
        """What came above what the customers agreed to."""
        self.tally.gain = self.shop.paid - self.shop.goods
