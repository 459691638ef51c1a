"""Puts into messages what the screen shows: card, offer, receipts, open cases, status."""

from collections.abc import Sequence

from cardlib.wire.entry import Entry
from cardlib.wire.entry_body import Committed, How, Intent
from cardlib.wire.money import ZERO, Money
from terminal.counter import Counter
from terminal.journal.views import UnsettledIntent
from terminal.receipts import render
from terminal.sale.card_shown import CardShown
from terminal.sale.offer import Offer
from terminal.ui.card_slot import CardSlot
from terminal.ui.messages import CardRead, Offered, SaleClosed
from terminal.ui.shown import Names, OpenCase, TillStatus, card_view, offer_view
from terminal.ui.waiting_sales import WaitingSales


class Answers:
    """Reads journal and bundle of one till; writes nothing. For the worker's thread only."""

    def __init__(self, counter: Counter, lang: str) -> None:
        self._counter = counter
        self._lang = lang
        self._waiting_sales = WaitingSales(counter.till.journal)

    def status(self, slot: CardSlot) -> TillStatus:
        """The status line now."""
        risk = self._counter.risk()
        days = risk.days_offline()
        return TillStatus(
            slot.card_in,
            "" if slot.trouble is None else slot.trouble.code,
            self._waiting_sales.count(),
            risk.days_left(),
            days,
            warn=0 < risk.trust.limits.offline_days_warn <= days,
        )

    def card(
        self, shown: CardShown, *, other_purse: bool = False, same_card: bool = False
    ) -> CardRead:
        """A card that was read; ``other_purse``: it may hold another one for this till."""
        today = self._counter.risk().moment().day
        return CardRead(card_view(shown, self._names, today, other_purse=other_purse), same_card)

    def offer(self, offer: Offer, shown: CardShown) -> Offered:
        """What the customer is to agree to."""
        return Offered(offer_view(offer, self._names, shown))

    def receipts(self, closings: Sequence[Entry]) -> SaleClosed:
        """Receipts of one or more sales, in the order given."""
        receipts = [self._counter.receipt(closing) for closing in closings]
        return SaleClosed(
            "\n".join(render(receipt, self._lang) for receipt in receipts),
            sum((receipt.total for receipt in receipts), ZERO),
            recovered=any(_was_recovered(closing) for closing in closings),
        )

    def case(self, waiting: UnsettledIntent) -> OpenCase:
        """A debit whose outcome is not known."""
        entry = self._counter.till.journal.views.entry(waiting.seq).decode()
        assert isinstance(entry.body, Intent)
        cents = sum(line.cents for line in entry.body.lines)
        return OpenCase(waiting.seq, Money(cents), entry.body.plan.time)

    @property
    def _names(self) -> Names:
        return Names(self._counter.till.trust, self._lang)


def _was_recovered(closing: Entry) -> bool:
    return isinstance(closing.body, Committed) and closing.body.how is How.RECOVERED
