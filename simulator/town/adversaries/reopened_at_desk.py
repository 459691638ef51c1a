"""PROTOCOL 1.11: value that a leaked shop key has opened again is brought to the desk.

The holder spends, waits until the shop has reported, lowers the totals on his card with the
stolen key, and fetches a load: the new grant shall be signed over the false remainder.
"""

from dataclasses import replace
from typing import ClassVar

from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.books_attack import BooksAttack
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.reopened_value import reopened
from simulator.town.deeds import DEEDS
from simulator.town.plan.calendar import GROCERIES
from simulator.town.plan.model import Happening, Kind

_SMALL = 500


class ReopenedAtDesk(BooksAttack):
    """The backend compares what the card attests with its ledger before it signs."""

    name: ClassVar[str] = "reopened at desk"
    expectation: ClassVar[Expectation] = Expectation(
        source="PROTOCOL 1.11, 2 (Load)", claim=Claim.STOPPED,
        seen_by="CARD_ABOVE_LEDGER at the load: refused, alarm and case",
        refused_by=(frozenset({"CARD_ABOVE_LEDGER"}),), told_by=frozenset({"CARD_ABOVE_LEDGER"}),
    )  # fmt: skip
    turn: ClassVar[frozenset[Kind]] = frozenset({Kind.SYNC})

    def act(self, happening: Happening) -> None:
        """After a shop has reported: whoever bought there last is the villain."""
        people = [
            citizen
            for citizen in self.town.citizens.values()
            if citizen.last_bought == happening.place and citizen.purse not in self.purses
        ]
        card = self.opened(self.rng.choice(people)) if people else None
        if card is None or card.newest.spent == card.base:
            return
        self.purses.add(card.purse)
        self.town.declared.rogue_purse(card.purse)
        for code in ("CARD_ABOVE_LEDGER", "PURSE_BELOW_GRANT", "PREDECESSOR_FORGED"):
            self.town.declared.expect(code, purse=card.purse)
        self.tally.refuse(f"{card.write(reopened(self.town, card)):04X}")
        self.tally.attempts += 1
        self._load(card, happening)

    def _load(self, card: OpenedCard, happening: Happening) -> None:
        """A small order, and the desk; what it signs beyond what is his is the gain."""
        citizen, truth, person = card.citizen, self.town.truth, card.citizen.person.key
        self.town.official.order_load(card.purse, person, GROCERIES, _SMALL)
        citizen.waiting += 1
        before, refused = truth.loaded[card.purse], truth.refused.copy()
        desk = replace(happening, person=person, shop="", till=0, accidents=())
        DEEDS[Kind.COLLECT](self.town, desk)
        if truth.loaded[card.purse] > before:
            due = truth.loaded[card.purse] - truth.received()[card.purse]
            self.tally.gain += max(0, card.worth - due)
        for code, times in (truth.refused - refused).items():
            self.tally.refusals[code] = self.tally.refusals.get(code, 0) + times
