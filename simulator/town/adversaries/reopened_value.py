"""PROTOCOL 8, row 2: M_DEBIT leaked, and a holder opens his spent value again.

He has a card, its PIN, the keys of a shop and a reader of his own. After a purchase he puts a
record onto the chip whose totals are those over which his grant was signed, and buys again. To
a till that remembers more he shows what it has seen, with a fresh day: no day limit stops him.
"""

from dataclasses import replace
from typing import ClassVar

from cardlib.codec.purse import Spend, SpendType, Totals
from simulator.town.actors.cashier import Cashier
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.books_attack import BooksAttack
from simulator.town.adversaries.granted import live_grants
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.deeds import DEEDS
from simulator.town.plan.calendar import DAY_LIMIT, GROCERIES
from simulator.town.plan.model import Happening, Kind
from simulator.town.state import Town

NOWHERE = 0x7777
"""A terminal that nobody has enrolled."""
_TRIES = 4
"""How often he opens it and buys again before one till."""
TELLS = frozenset({"PREDECESSOR_FORGED", "PURSE_FORKED", "CARD_ABOVE_LEDGER", "SALE_OVERDRAWN"})


class ReopenedValue(BooksAttack):
    """Bounded by what was spent from the live grants, at each till that has not heard of it."""

    name: ClassVar[str] = "reopened value"
    expectation: ClassVar[Expectation] = Expectation(
        source="PROTOCOL 8, row 2", claim=Claim.BOUNDED,
        bound="granted_total - base_spent in the books, for each till that has not synced since",
        seen_by="the proof of the forged record at the next sale, or the next load",
    )  # fmt: skip
    tell_tales: ClassVar[frozenset[str]] = TELLS
    tries: ClassVar[int] = 24

    def prepare(self) -> None:
        """Chooses who it is."""
        self.villain = self.town.citizens[self.rng.choice(sorted(self.town.citizens))]
        self.known: dict[tuple[str, int], Totals] = {}
        """The totals that a till has seen last."""
        self.visited: set[tuple[str, int]] = set()
        self.closed_to_him: set[tuple[str, int]] = set()

    def act(self, happening: Happening) -> None:
        """After any purchase in town: opens it again, and buys for all of it at another till."""
        card = self.opened(self.villain)
        tills = sorted(self.town.registers.items())
        places = [place for place, register in tills if register.till is not None]
        places = [place for place in places if place not in self.closed_to_him]
        if card is None or not places:
            return
        self.declare(card)
        if happening.person == self.villain.person.key:
            self.known[happening.place] = card.newest.spent
        place = self.rng.choice(places)
        for _ in range(_TRIES):
            self._reopen(card, card.base)
            if self._buy(card, happening, place):
                continue
            self._reopen(card, self.known.get(place, card.base))
            if not self._buy(card, happening, place):
                self.closed_to_him.add(place)
                return

    def declare(self, card: OpenedCard) -> None:
        """What honest books cannot explain from now on."""
        self.purses.add(card.purse)
        self.town.declared.rogue_purse(card.purse)
        for code in TELLS:
            self.town.declared.expect(code, purse=card.purse)

    def _reopen(self, card: OpenedCard, totals: Totals) -> None:
        """One more record, with these totals, unless they are there."""
        if card.newest.spent != totals or card.newest.day_spent:
            self.tally.refuse(f"{card.write(reopened(self.town, card, totals)):04X}")
            self.tally.attempts += 1

    def _buy(self, card: OpenedCard, happening: Happening, place: tuple[str, int]) -> bool:
        """The till sees a good card; what it gives is limited by what one grant holds."""
        truth, grants = self.town.truth, live_grants(self.town, card.purse)
        before = truth.received()[card.purse]
        again = replace(
            happening, id=f"{happening.id}-again{self.tally.attempts}", accidents=(),
            basket=everything(card), forgets=False, pin_slips=0, shop=place[0], till=place[1],
        )  # fmt: skip
        if again.basket:
            Cashier(self.town, again).sell(self.town.registers[place], self.villain)
            self.villain.last_bought = place
        if truth.received()[card.purse] == before:
            return False
        if place not in self.visited:
            self.visited.add(place)
            self.tally.bound += sum(one.granted_total - one.base_spent for one in grants)
        self.known[place] = card.newest.spent
        return True

    def finish(self, happening: Happening) -> None:
        """At last he fetches a load: the latest moment at which it must be seen."""
        if happening.kind is Kind.END_DAY and self.tally.attempts and self.villain.purse:
            self.town.official.order_load(
                self.villain.purse, self.villain.person.key, GROCERIES, 1_000
            )
            self.villain.waiting += 1
            DEEDS[Kind.COLLECT](self.town, replace(happening, person=self.villain.person.key))

    def count(self) -> None:
        """Goods above what was ever loaded."""
        if self.villain.purse is not None:
            truth = self.town.truth
            self.tally.gain = max(
                0, truth.received()[self.villain.purse] - truth.loaded[self.villain.purse]
            )
        if self.tally.gain and not self.tally.seen:  # who spent no more than his own is no thief
            self.tally.overdue.append("nothing told of it")


def reopened(town: Town, card: OpenedCard, totals: Totals | None = None) -> Spend:
    """A record on top with these totals; without, those under the live grants."""
    return replace(
        card.newest, type=SpendType.SALE, ctr=card.newest.ctr + 1, spent=totals or card.base,
        terminal=NOWHERE, seq=card.newest.ctr, prev=card.link, day_spent=0,
        intent_hash=town.randomness.bytes(8), time=town.time.now_s,
    )  # fmt: skip


def everything(card: OpenedCard) -> tuple[tuple[int, int], ...]:
    """A basket for all that the card holds, in the first category of each wallet."""
    masks = {slot: signed.grant.categories for slot, signed in card.grants.items()}
    held = {(mask & -mask).bit_length() - 1: card.balance(slot) for slot, mask in masks.items()}
    return tuple((bit, min(cents, DAY_LIMIT)) for bit, cents in sorted(held.items()) if cents > 0)
