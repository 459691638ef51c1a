"""Attack 3: a rogue shop collects attested reads of a card that it does not debit.

Anybody can fetch them, without a PIN; each says what the card really stores. So the shop's
invented sales carry a certificate of another record, which proves nothing.
"""

from cardlib.wire.entry_body import AttestedRead
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.rogue_shop import RogueShop
from simulator.town.adversaries.till_attack import PRICE, Scene, TillAttack
from simulator.town.plan.model import Happening
from simulator.town.state import Town

_SEEN = frozenset({"SALE_UNPROVEN", "SALE_CONTRADICTED"})
_STATES = "SELECT state, reason FROM posting WHERE terminal = ?"


class HarvestedCertificates(TillAttack):
    """A shop with M_DEBIT in its till, and a customer's card for a moment."""

    name = "harvested certificates"
    expectation = Expectation(
        source="PROTOCOL 1.3", claim=Claim.STOPPED, seen_by="SALE_UNPROVEN at upload; never paid",
        told_by=_SEEN,
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._shop: RogueShop | None = None
        self._told: list[int] = []

    def strike(self, scene: Scene) -> None:
        """A certificate, and a sale that would need one of its own."""
        shop = self._shop = self._shop or RogueShop(scene.town, "harvest")
        card = OpenedCard(scene.town, scene.citizen)
        read = card.attest()
        slot = max(card.grants, key=card.balance)
        entry, record = shop.intend(card, slot, PRICE)
        shop.commit(entry, record, AttestedRead(read.index, record, read.random, read.tc))
        declared = scene.town.declared
        declared.expect("CARD_ABOVE_LEDGER", purse=card.purse)
        declared.expect("PREDECESSOR_FORGED", terminal=shop.terminal)
        shop.synchronise()
        self._told.append(entry.header.seq)

    def follow(self, town: Town, happening: Happening) -> None:
        """Each is judged when it is told."""
        if self._shop is None:
            return
        self._shop.close_with_the_others(happening)
        if len(self.tally.seen) == len(_SEEN):
            return
        for state, reason in self._postings(town):
            if reason in _SEEN and state != "proven":
                self.tally.seen.setdefault(reason, happening.id)

    def sum_up(self, town: Town) -> None:  # noqa: ARG002
        """What the bank paid for nothing, and what is still to be paid."""
        if self._shop is not None:
            self.tally.gain = self._shop.paid
            self.tally.overdue += self._shop.believed(self._told, _SEEN)

    def _postings(self, town: Town) -> list[tuple[str, str]]:
        assert self._shop is not None
        with town.engine.connect() as books:
            rows = books.exec_driver_sql(_STATES, (self._shop.register.terminal,))
            return [(str(state), str(reason)) for state, reason in rows]
