"""PROTOCOL 8: merchant and holder collude: vouchers for cash, with an honest till's software.

No key is stolen. The shop debits all that the till lets it debit and gives money instead of
goods; then it tries again beyond the day limit, and in categories that the wallet lacks.
"""

from dataclasses import replace
from typing import ClassVar

from cardlib.wire.ids import PurseId
from simulator.town.actors.cashier import Cashier
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.books_attack import BooksAttack
from simulator.town.adversaries.reopened_value import everything
from simulator.town.plan.calendar import DAY_LIMIT
from simulator.town.plan.model import MEDICINES, Happening

SEEN = "mean sale"
_FAR_ABOVE = 2
_MEANS = (
    "SELECT s.merchant_id, sum(pp.cents) * 1.0 / count(DISTINCT s.id) AS mean FROM posting s"
    " JOIN posting_part pp ON pp.posting_id = s.id"
    " WHERE s.live AND NOT s.is_void AND s.merchant_id IS NOT NULL GROUP BY s.merchant_id"
)


class Collusion(BooksAttack):
    """Bounded by the limits of the wallets; nothing in the books can tell it from trade."""

    name: ClassVar[str] = "collusion"
    expectation: ClassVar[Expectation] = Expectation(
        source="PROTOCOL 8", claim=Claim.BOUNDED,
        bound="for each holder who comes: what was loaded, and the limit of each day that the town"
        " lives; nothing in a category that no wallet buys",
        seen_by="nobody by himself: the books are in order. Who counts in them finds a shop whose"
        " sales are far larger than any other's",
    )  # fmt: skip
    tries: ClassVar[int] = 12

    def prepare(self) -> None:
        """Opens the shop."""
        self.open_shop()
        self.accomplices: set[PurseId] = set()

    def act(self, happening: Happening) -> None:
        """Who has bought elsewhere comes for cash, as far as it goes, and further."""
        card = self.victim(happening)
        if card is None:
            return
        basket = everything(card)
        if not basket:
            return
        self.accomplices.add(card.purse)
        wanted = [basket, basket, ((MEDICINES, 500),)]
        before = self.town.truth.refused.copy()
        for turn, items in enumerate(wanted):
            again = replace(
                happening, id=f"{happening.id}-cash{turn}", shop=self.shop.key, till=0,
                basket=items, accidents=(), forgets=False, pin_slips=0,
            )  # fmt: skip
            Cashier(self.town, again).sell(self.shop.register, card.citizen)
        for code, times in (self.town.truth.refused - before).items():
            self.tally.refusals[code] = self.tally.refusals.get(code, 0) + times
        self.tally.attempts += 1
        self.shop.synchronise()

    def count(self) -> None:
        """All that it was paid; it gave no goods."""
        self.tally.gain = self.shop.paid
        limit, loaded = DAY_LIMIT * self.town.plan.days, self.town.truth.loaded
        self.tally.bound = sum(min(limit, loaded[purse]) for purse in self.accomplices)
        if self._stands_out():
            self.tally.seen[SEEN] = "in the books"
        elif self.tally.gain:
            self.tally.overdue.append("its sales are like any other shop's")

    def _stands_out(self) -> bool:
        """Whether its mean sale is a multiple of any other's, for whoever counts in the books."""
        with self.town.engine.connect() as books:
            means = {row.merchant_id: float(row.mean) for row in books.exec_driver_sql(_MEANS)}
        own = means.pop(self.town.founding.merchants[self.shop.key], 0)
        return all(own > _FAR_ABOVE * mean for mean in means.values())
