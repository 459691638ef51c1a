"""Serving one customer after another: what the cashier asks, done with card and journal.

Runs in the worker's thread, knows no widget, and answers by messages. Errors pass
through ``failed``, the one place that says what an error means at this moment: the
state of the sale tells what is true about the money (``terminal.sale.states``).

A request that comes too late (the card has gone meanwhile) is nobody's any more and
is dropped; the message that says why is already on its way to the screen.
"""

from collections.abc import Callable, Sequence

from textual.message import Message

from cardlib.codec.pin import Pin
from cardlib.errors import CardlibError, PinPadError, PresenceError, WrongPinError
from cardlib.wire.money import ZERO, Money
from terminal.counter import Counter
from terminal.errors import SaleRefusedError, UnsettledError
from terminal.sale.card_shown import CardShown
from terminal.sale.offer import Item, Offer
from terminal.sale.session import SaleSession
from terminal.sale.states import State
from terminal.ui import messages
from terminal.ui.at_counter import OPEN, AtCounter
from terminal.ui.between_customers import BetweenCustomers
from terminal.ui.card_slot import CardSlot, Change
from terminal.ui.messages import Reason
from terminal.ui.settling import Settling

LOST_IN_A_ROW_MAX = 3
"""A card that keeps vanishing is tried this often by itself, then only when asked."""

_BEFORE_INTENT = (State.CARD_READ, State.BASKET, State.AGREED)
Read = Callable[[SaleSession], CardShown]


class Serving:
    """The counter and the card in its reader."""

    def __init__(
        self, counter: Counter, slot: CardSlot, lang: str, post: Callable[[Message], object]
    ) -> None:
        self._at = AtCounter(counter, slot, lang, post)
        self.settling = Settling(self._at)
        """What the cashier asks once a debit is under way."""
        self._between = BetweenCustomers(counter.till)
        self._basket: tuple[tuple[Item, ...], Money] = ((), ZERO)
        self._offer: Offer | None = None

    # what happens by itself ---------------------------------------------------------------

    def start(self) -> None:
        """Tells what is open from before, else asks for a card."""
        self._at.tell_status()
        self._at.invite()

    def look(self) -> None:
        """Notices cards that come and go."""
        change = self._at.slot.look()
        self._at.tell_status()
        if change is Change.ENTERED:
            self._card_entered()
        elif change is Change.LEFT:
            self._card_left()
        elif not self._at.slot.card_in:
            self._at.lost_in_a_row = 0
            for told in self._between.keep_up():
                self._at.post(messages.Aside(Reason(told.code, {"seq": told.seq})))

    def tell_status(self) -> None:
        """The status line, when it has changed."""
        self._at.tell_status()

    def close(self) -> None:
        """The till is closed; an open debit waits in the journal."""
        if self._at.slot.card_in and self._at.sale is not None:
            self._at.sale.stop()
        self._at.slot.let_go()

    def failed(self, error: CardlibError) -> None:
        """What ``error`` means for this customer now."""
        if isinstance(error, PresenceError):
            self._at.lost_in_a_row += 1
            self._at.slot.let_go()
        elif error.code == "CARD_CHANGED":  # what is in the reader now enters as any card
            self._at.slot.let_go()
        if self._at.state is State.CLOSED:
            self._at.post(messages.Aside(Reason.of(error)))
        else:
            self._at.stop()
            self._at.end(Reason.of(error))

    # what the cashier asks ----------------------------------------------------------------

    def again(self) -> None:
        """The next customer, or the card that is still in."""
        if self._at.state in (*_BEFORE_INTENT, *OPEN):
            return
        self._at.sale, self._at.lost_in_a_row = None, 0
        self._at.card.begin_anew()
        if self._at.slot.card_in:
            self._card_entered()
        else:
            self._at.invite()

    def next_purse(self) -> None:
        """Another town's purse on the same card; nothing is written."""
        at_rest = self._at.state in (State.IDLE, State.CARD_READ, State.BASKET)
        if not (at_rest and self._at.slot.card_in) or self._at.waiting is not None:
            return
        self._at.stop()
        self._read(self._at.card.read_next, same_card=True)
        if self._at.card.only_purse and self._at.state is State.CARD_READ:
            self._at.post(messages.AmountsRefused(Reason("PURSE_NO_OTHER")))

    def propose(self, items: Sequence[Item], other: Money) -> None:
        """What the vouchers would pay; ``other`` is for goods without voucher."""
        if self._at.state not in (State.CARD_READ, State.BASKET):
            return
        self._basket, self._offer = (tuple(items), other), None
        try:
            self._make_offer()
        except SaleRefusedError as error:
            self._at.post(messages.AmountsRefused(Reason.of(error)))

    def agree(self, pin: Pin | None) -> None:
        """The customer has agreed to what was offered: debits the card."""
        self._agree(lambda sale: sale.agree(pin))

    def agree_on_pad(self) -> None:
        """As :meth:`agree`; waits until the customer has typed the PIN on the reader."""
        self._agree(lambda sale: sale.agree_on_pad())

    def decline(self) -> None:
        """The customer says no, or leaves: nothing is written."""
        if self._at.state in _BEFORE_INTENT:
            self._at.stop()
            self._at.declined()

    # until the intent -----------------------------------------------------------------------

    def _card_entered(self) -> None:
        if self._at.lost_in_a_row >= LOST_IN_A_ROW_MAX:
            self._at.end(Reason("CARD_GONE"))
        elif self._at.waiting is not None:
            self.settling.find_out(self._at.card.driver())
        else:
            self._read(self._at.card.read)

    def _card_left(self) -> None:
        if self._at.state in _BEFORE_INTENT:
            self._at.stop()
            self._at.end(Reason("CARD_GONE"))
        else:
            self._at.post(messages.CardOut())

    def _read(self, read: Read, *, same_card: bool = False) -> None:
        self._at.counter.till.refresh()
        try:
            self._at.shown = self._open_sale(read)
        except UnsettledError:  # a case of this very purse was set aside
            self._at.sale = None
            self.settling.settle(self._at.card.driver())
            return
        self._at.lost_in_a_row = 0
        other = self._at.card.other_purse()
        self._at.post(self._at.answers.card(self._at.shown, other_purse=other, same_card=same_card))

    def _open_sale(self, read: Read) -> CardShown:
        self._offer = None
        self._at.sale = self._at.counter.sale(self._at.card.driver(), self._at.tell)
        return read(self._at.sale)

    def _make_offer(self) -> None:
        sale, shown = self._at.require_sale(), self._at.shown
        assert shown is not None
        self._offer = sale.basket(*self._basket)
        self._at.post(self._at.answers.offer(self._offer, shown))

    def _agree(self, ask_pin: Callable[[SaleSession], None]) -> None:
        sale = self._at.sale
        if sale is None or self._offer is None or sale.state is not State.BASKET:
            return
        try:
            ask_pin(sale)
        except WrongPinError as error:
            self._ask_pin_again(error)
        except (PinPadError, SaleRefusedError) as error:
            if sale.state is not State.BASKET:
                raise
            self._at.post(messages.PinWanted(Reason.of(error)))
        else:
            self.settling.conclude(sale.commit())

    def _ask_pin_again(self, error: WrongPinError) -> None:
        """A wrong PIN has ended the sale: the same offer, from a fresh read, asks again."""
        before, purse = self._offer, self._at.shown and self._at.shown.info.core
        self._at.shown = self._open_sale(self._at.card.read)
        self._make_offer()
        if self._offer == before and self._at.shown.info.core == purse:
            self._at.post(messages.PinWanted(Reason.of(error)))
        else:
            self._at.post(messages.Aside(Reason.of(error)))
