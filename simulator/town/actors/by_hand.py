"""Customers who do not wait: served step by step, as a cashier does on the till's screen.

What ``terminal.pay`` never does happens here: somebody goes after the balance or after the
PIN, the reader resets the card while people think, a debit is set aside in the middle, a
retry is refused, and somebody else's card comes in when the first is asked for again.
"""

from cardlib.drivers.purse_card import PurseCard
from cardlib.errors import CardlibError
from simulator.town.actors.citizen import Citizen
from simulator.town.actors.counter_talk import CounterTalk
from simulator.town.plan.model import Mood
from terminal.counter import Counter
from terminal.errors import UnsettledError
from terminal.pay import Order, pay
from terminal.sale.debit import SaleResult
from terminal.sale.session import SaleSession
from terminal.sale.states import State

TRIES_MAX = 6
"""How often an outcome is looked for before the customer is let go."""


class ByHand:
    """One customer in a mood. ``behind``: whose card is mistaken for hers."""

    def __init__(
        self, counter: Counter, talk: CounterTalk, order: Order, mood: Mood, behind: Citizen
    ) -> None:
        self._counter = counter
        self._talk = talk
        self._order = order
        self._mood = mood
        self._behind = behind
        self._mixed_up: set[State] = set()
        """In which states the wrong card has been shown."""

    def serve(self) -> None:
        """To the end, whatever that is; errors of card and till pass."""
        if self._counter.till.journal.views.open_intent() is None:
            try:
                self._serve()
            except UnsettledError:
                if self._counter.till.journal.views.open_intent() is not None:
                    raise
            else:
                return
        paid = pay(self._counter, self._card(), self._order, self._talk)  # settles what is open
        self._talk.result(paid.result)

    def _serve(self) -> None:
        with self._counter.sale(self._card(), self._talk.step) as sale:
            sale.read()
            if self._mood is Mood.CHANGES_MIND:
                sale.stop()
                return
            sale.basket(self._order.items)
            sale.agree(self._talk.pin())
            if self._mood is Mood.SECOND_THOUGHTS:
                sale.stop()
                return
            if self._mood is Mood.SLOW:
                sale.start_again()
                sale.agree(self._talk.pin())
            self._conclude(sale, sale.commit())

    def _conclude(self, sale: SaleSession, result: SaleResult) -> None:
        """What becomes of the debit: closed, given up, or set aside."""
        for _ in range(TRIES_MAX):
            if result.state is State.CLOSED:
                self._talk.result(result)
                sale.finish()
                return
            if sale.state not in (State.UNKNOWN, State.NOT_APPLIED):
                return
            if self._goes(sale):
                return
            result = self._look(sale) or result
        if sale.state is State.UNKNOWN:
            sale.park()

    def _goes(self, sale: SaleSession) -> bool:
        """Whether the customer has had enough; what is open is set aside or given up."""
        if self._mood is Mood.HURRIED and sale.state is State.UNKNOWN:
            sale.park()
            return True
        if self._mood is Mood.ANNOYED and sale.state is State.NOT_APPLIED:
            sale.give_up()
            return True
        return False

    def _look(self, sale: SaleSession) -> SaleResult | None:
        """A fresh read or the same debit again; None where the card was not there."""
        wrong = self._mood is Mood.MIXED_UP and sale.state not in self._mixed_up
        self._talk.reader.put_back()
        try:
            if wrong and self._behind is not self._talk.citizen:
                self._mixed_up.add(sale.state)
                return sale.resolve(self._counter.card(self._behind.line()))
            if sale.state is State.NOT_APPLIED:
                return sale.retry(self._talk.pin())
            return sale.resolve(self._card())
        except CardlibError:
            sale.reset_card()
            return None

    def _card(self) -> PurseCard:
        return self._counter.card(self._talk.reader.connection)
