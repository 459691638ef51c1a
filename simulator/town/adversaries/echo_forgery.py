"""PROTOCOL 1.7: records as read from a card are a hint; a rogue shop sends invented ones.

It has M_DEBIT: proof entries, and the record beside a *not applied*, carry records that decrypt
and that no chip has written. They shall pay for a claim, or move the purse's mark so far that
every till refuses the card.
"""

from dataclasses import replace
from typing import ClassVar

from cardlib.codec.purse import Spend, SpendType
from cardlib.wire.entry_body import AttestedRead, NotApplied, NotAppliedCode
from cardlib.wire.ids import PurseId
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.books_attack import BooksAttack
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.plan.model import Happening

_CLAIM, _FAR = 500, 50
_MARK = (
    "SELECT proven_ctr FROM purse p JOIN municipality m ON m.id = p.municipality_id"
    " WHERE m.issuer = ? AND p.number = ?"
)


class EchoForgery(BooksAttack):
    """Only a certificate of the chip proves, and only what is proven moves a mark."""

    name: ClassVar[str] = "echo forgery"
    expectation: ClassVar[Expectation] = Expectation(
        source="PROTOCOL 1.7, 6", claim=Claim.STOPPED,
        seen_by="its claims stay unproven: cases at upload",
        told_by=frozenset({"SALE_UNPROVEN", "SALE_CONTRADICTED"}),
    )  # fmt: skip

    def prepare(self) -> None:
        """Opens the shop."""
        self.open_shop()
        self.town.declared.expect("PREDECESSOR_FORGED", terminal=self.shop.terminal)
        self.claims: list[int] = []
        self.tops: dict[PurseId, OpenedCard] = {}

    def act(self, happening: Happening) -> None:
        """A claim with a proof of its own, a mark far ahead, and an echo that says otherwise."""
        card = self.victim(happening)
        slot = self.slot_with(card, _CLAIM) if card else None
        if card is None or slot is None:
            return
        self.tops[card.purse] = card
        self.purses.add(card.purse)
        if self.tally.attempts % 2:
            self._echo(card, slot)
        else:
            self._claim(card, slot)
        self._prove(card, self._ahead(card))
        self.town.declared.expect("CARD_ABOVE_LEDGER", purse=card.purse)
        self.tally.attempts += 1
        self.shop.synchronise()

    def _claim(self, card: OpenedCard, slot: int) -> None:
        entry, record = self.shop.intend(card, slot, _CLAIM)
        self.shop.commit(entry, record)
        self.claims.append(entry.header.seq)
        self.shop.prove(card, AttestedRead(1, record, self.town.randomness.bytes(8), bytes(8)))

    def _echo(self, card: OpenedCard, slot: int) -> None:
        """Nothing was debited, it says, and shows a record from the future."""
        entry, _ = self.shop.intend(card, slot, _CLAIM)
        later = self.shop.seal(card, replace(card.newest, ctr=card.newest.ctr + _FAR))
        code = NotAppliedCode.READ
        self.shop.append(NotApplied(intent_seq=entry.header.seq, code=code, newest_record=later))

    def _ahead(self, card: OpenedCard) -> Spend:
        return replace(
            card.newest, type=SpendType.SALE, ctr=card.newest.ctr + _FAR, seq=1,
            intent_hash=self.town.randomness.bytes(8), terminal=self.shop.register.terminal,
        )  # fmt: skip

    def _prove(self, card: OpenedCard, spend: Spend) -> None:
        random = self.town.randomness.bytes(8)
        self.shop.prove(card, AttestedRead(1, self.shop.seal(card, spend), random, random))

    def count(self) -> None:
        """What it was paid for nothing; and whether a mark is ahead of its card."""
        self.tally.gain = self.shop.paid
        with self.town.engine.connect() as connection:
            for purse, card in self.tops.items():
                query = connection.exec_driver_sql(_MARK, (purse.issuer, purse.number))
                if query.scalar_one() > card.newest.ctr:
                    self.tally.overdue.append(f"mark of {purse} is ahead of its card")
        self.tally.overdue += self.shop.believed(self.claims, self.expectation.told_by)
