"""PROTOCOL 1.7, 6: a rogue shop invents a debit, and tells of it before the real one arrives.

It has M_DEBIT and has seen the customer's card, which it does not debit: intent and sale are
in its journal only, in the place of the customer's next purchase.
"""

from typing import ClassVar

from cardlib.wire.entry_body import AttestedRead
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.books_attack import BooksAttack
from simulator.town.plan.model import Happening

_CLAIM = 700


class InventedRecord(BooksAttack):
    """A proven record takes the place from an unproven one; what nobody proves is not paid."""

    name: ClassVar[str] = "invented record"
    expectation: ClassVar[Expectation] = Expectation(
        source="PROTOCOL 1.7, 6", claim=Claim.STOPPED, seen_by="a case at upload, for each",
        told_by=frozenset({"SALE_UNPROVEN", "SALE_CONTRADICTED"}),
    )  # fmt: skip

    def prepare(self) -> None:
        """Opens the shop."""
        self.open_shop()
        self.claims: list[int] = []
        self.town.declared.expect("PREDECESSOR_FORGED", terminal=self.shop.terminal)

    def act(self, happening: Happening) -> None:
        """Right after a purchase elsewhere: it claims the next one."""
        card = self.victim(happening)
        slot = self.slot_with(card, _CLAIM) if card else None
        if card is None or slot is None:
            return
        entry, record = self.shop.intend(card, slot, _CLAIM)
        random = self.town.randomness.bytes(8)
        self.shop.commit(entry, record, AttestedRead(1, record, random, bytes(8)))
        self.claims.append(entry.header.seq)
        self.purses.add(card.purse)
        self.town.declared.expect("CARD_ABOVE_LEDGER", purse=card.purse)
        self.tally.attempts += 1
        self.shop.synchronise()

    def count(self) -> None:
        """Whatever it was paid: it gave nothing."""
        self.tally.gain = self.shop.paid
        self.tally.overdue += self.shop.believed(self.claims, self.expectation.told_by)
