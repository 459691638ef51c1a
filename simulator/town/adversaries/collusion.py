"""PROTOCOL 8: merchant and holder collude: vouchers for cash, with an honest till's software.

No key is stolen. The shop debits all that the till lets it debit and gives money instead of
goods; then it tries again beyond the day limit, and in categories that the wallet lacks.
"""

from collections import Counter
from dataclasses import replace
from typing import ClassVar

from cardlib.calendar import day_at
from cardlib.wire.ids import PurseId
from simulator.town.actors.cashier import Cashier
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.books_attack import BooksAttack
from simulator.town.adversaries.reopened_value import everything
from simulator.town.plan.calendar import DAY_LIMIT
from simulator.town.plan.model import MEDICINES, Happening


class Collusion(BooksAttack):
    """Bounded by the limits of the wallets; nothing in the books can tell it from trade."""

    name: ClassVar[str] = "collusion"
    expectation: ClassVar[Expectation] = Expectation(
        source="PROTOCOL 8", claim=Claim.BOUNDED,
        bound="the day limit for each holder and day, and what the wallet holds",
        seen_by="statistics: nothing in the books",
    )  # fmt: skip
    tries: ClassVar[int] = 12

    def prepare(self) -> None:
        """Opens the shop."""
        self.open_shop()
        self.days: Counter[tuple[PurseId, int]] = Counter()

    def act(self, happening: Happening) -> None:
        """Who has bought elsewhere comes for cash, as far as it goes, and further."""
        card = self.victim(happening)
        if card is None:
            return
        basket, day = everything(card), self._day()
        if not basket:
            return
        if (card.purse, day) not in self.days:
            self.days[card.purse, day] = min(card.worth, DAY_LIMIT)
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

    def _day(self) -> int:
        return day_at(self.town.time.now_s).toordinal()

    def count(self) -> None:
        """All that it was paid; it gave no goods."""
        self.tally.gain, self.tally.bound = self.shop.paid, sum(self.days.values())
