"""Serving one customer after another: what the cashier asks, done with card and journal.

Runs in the worker's thread, knows no widget, and answers by messages. Errors pass
through ``failed``, the one place that says what an error means at this moment: the
state of the sale tells what is true about the money (``terminal.sale.states``).

A request that comes too late (the card has gone meanwhile) is nobody's any more and
is dropped; the message that says why is already on its way to the screen.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

from textual.message import Message

from cardlib.codec.pin import Pin
from cardlib.drivers.purse_card import PurseCard
from cardlib.errors import CardlibError, PinPadError, PresenceError, WrongPinError
from cardlib.wire.entry_body import Committed
from cardlib.wire.money import ZERO, Money
from terminal.agent import heartbeat
from terminal.counter import Counter
from terminal.errors import JournalError, SaleRefusedError, UnsettledError
from terminal.journal.views import UnsettledIntent
from terminal.recovery.flow import Settled
from terminal.sale.debit import SaleResult
from terminal.sale.offer import Item, Offer
from terminal.sale.session import CardShown, SaleSession
from terminal.sale.states import State, Step
from terminal.ui import messages
from terminal.ui.answers import Answers
from terminal.ui.card_slot import CardSlot, Change
from terminal.ui.messages import Reason
from terminal.ui.served_card import ServedCard
from terminal.ui.shown import TillStatus, pin_place

LOST_IN_A_ROW_MAX = 3
"""A card that keeps vanishing is tried this often by itself, then only when asked."""

KEEP_UP_S = 30
"""How often the till looks for what the agent fetched."""

_BEFORE_INTENT = (State.CARD_READ, State.BASKET, State.AGREED)
Read = Callable[[SaleSession], CardShown]
_OPEN = (State.UNKNOWN, State.NOT_APPLIED)


class Serving:
    """The counter and the card in its reader."""

    def __init__(
        self, counter: Counter, slot: CardSlot, lang: str, post: Callable[[Message], object]
    ) -> None:
        self._counter = counter
        self._slot = slot
        self._card = ServedCard(counter, slot)
        self._answers = Answers(counter, lang)
        self._post = post
        self._status: TillStatus | None = None
        self._sale: SaleSession | None = None
        self._shown: CardShown | None = None
        self._basket: tuple[tuple[Item, ...], Money] = ((), ZERO)
        self._offer: Offer | None = None
        self._lost_in_a_row = 0
        self._keep_up_at = self._beat_at = 0

    # what happens by itself ---------------------------------------------------------------

    def start(self) -> None:
        """Tells what is open from before, else asks for a card."""
        self.tell_status()
        self._invite()

    def look(self) -> None:
        """Notices cards that come and go."""
        change = self._slot.look()
        self.tell_status()
        if change is Change.ENTERED:
            self._card_entered()
        elif change is Change.LEFT:
            self._card_left()
        elif not self._slot.card_in:
            self._lost_in_a_row = 0
            self._keep_up()

    def tell_status(self) -> None:
        """The status line, when it has changed."""
        status = self._answers.status(self._slot)
        if status != self._status:
            self._status = status
            self._post(messages.StatusChanged(status))

    def close(self) -> None:
        """The till is closed; an open debit waits in the journal."""
        if self._slot.card_in and self._sale is not None:
            self._sale.stop()
        self._slot.let_go()

    def failed(self, error: CardlibError) -> None:
        """What ``error`` means for this customer now."""
        if isinstance(error, PresenceError):
            self._lost_in_a_row += 1
            self._slot.let_go()
        elif error.code == "CARD_CHANGED":  # what is in the reader now enters as any card
            self._slot.let_go()
        if self._state is State.CLOSED:
            self._post(messages.Aside(Reason.of(error)))
        else:
            self._stop()
            self._end(Reason.of(error))

    def _keep_up(self) -> None:
        """Between customers: what the agent fetched is taken up, and the till says it is alive."""
        till = self._counter.till
        now = till.clock.monotonic_ms()
        if now < self._keep_up_at:
            return
        self._keep_up_at = now + KEEP_UP_S * 1000
        till.refresh()
        if now >= self._beat_at:
            self._beat_at = now + heartbeat.INTERVAL_S * 1000
            with suppress(JournalError):  # a full disk is said when the next card comes
                heartbeat.append_heartbeat(till.journal)

    # what the cashier asks ----------------------------------------------------------------

    def again(self) -> None:
        """The next customer, or the card that is still in."""
        if self._state in (*_BEFORE_INTENT, *_OPEN):
            return
        self._sale, self._lost_in_a_row = None, 0
        self._card.begin_anew()
        if self._slot.card_in:
            self._card_entered()
        else:
            self._invite()

    def next_purse(self) -> None:
        """Another town's purse on the same card; nothing is written."""
        at_rest = self._state in (State.IDLE, State.CARD_READ, State.BASKET)
        if not (at_rest and self._slot.card_in) or self._waiting is not None:
            return
        self._stop()
        self._read(self._card.read_next, same_card=True)
        if self._card.only_purse and self._state is State.CARD_READ:
            self._post(messages.AmountsRefused(Reason("PURSE_NO_OTHER")))

    def propose(self, items: Sequence[Item], other: Money) -> None:
        """What the vouchers would pay; ``other`` is for goods without voucher."""
        if self._state not in (State.CARD_READ, State.BASKET):
            return
        self._basket, self._offer = (tuple(items), other), None
        try:
            self._make_offer()
        except SaleRefusedError as error:
            self._post(messages.AmountsRefused(Reason.of(error)))

    def agree(self, pin: Pin | None) -> None:
        """The customer has agreed to what was offered: debits the card."""
        self._agree(lambda sale: sale.agree(pin))

    def agree_on_pad(self) -> None:
        """As :meth:`agree`; waits until the customer has typed the PIN on the reader."""
        self._agree(lambda sale: sale.agree_on_pad())

    def decline(self) -> None:
        """The customer says no, or leaves: nothing is written."""
        if self._state in _BEFORE_INTENT:
            self._stop()
            self._declined()

    def read_again(self) -> None:
        """The outcome is unknown: a fresh read of the card that is in."""
        if not self._slot.card_in:
            self._slot.look()
        self._find_out(self._card.driver())

    def retry(self, pin: Pin | None) -> None:
        """The same debit again."""
        if self._sale is not None and self._state is State.NOT_APPLIED:
            self._card.driver()
            self._conclude(self._sale.retry(pin))

    def retry_on_pad(self) -> None:
        """As :meth:`retry`, with the PIN typed on the reader."""
        if self._sale is not None and self._state is State.NOT_APPLIED:
            self._card.driver()
            self._conclude(self._sale.retry_on_pad())

    def give_up(self) -> None:
        """The customer does not want the debit tried again."""
        if self._sale is not None and self._state is State.NOT_APPLIED:
            self._sale.give_up()
            self._stop()
            self._declined()

    def park(self) -> None:
        """The customer has gone: the case waits, the next one is served."""
        if self._sale is not None and self._state is State.UNKNOWN:
            self._sale.park()
        elif self._state is State.IDLE and self._waiting is not None:
            self._counter.recovery().park()
        else:
            return
        self._stop()
        self._end(Reason("PARKED"))

    # until the intent -----------------------------------------------------------------------

    def _card_entered(self) -> None:
        if self._lost_in_a_row >= LOST_IN_A_ROW_MAX:
            self._end(Reason("CARD_GONE"))
        elif self._waiting is not None:
            self._find_out(self._card.driver())
        else:
            self._read(self._card.read)

    def _card_left(self) -> None:
        if self._state in _BEFORE_INTENT:
            self._stop()
            self._end(Reason("CARD_GONE"))
        else:
            self._post(messages.CardOut())

    def _read(self, read: Read, *, same_card: bool = False) -> None:
        self._counter.till.refresh()
        try:
            self._shown = self._open_sale(read)
        except UnsettledError:  # a case of this very purse was set aside
            self._sale = None
            self._settle(self._card.driver())
            return
        self._lost_in_a_row = 0
        other = self._card.other_purse()
        self._post(self._answers.card(self._shown, other_purse=other, same_card=same_card))

    def _open_sale(self, read: Read) -> CardShown:
        self._offer = None
        self._sale = self._counter.sale(self._card.driver(), self._tell)
        return read(self._sale)

    def _make_offer(self) -> None:
        sale, shown = self._require_sale(), self._shown
        assert shown is not None
        self._offer = sale.basket(*self._basket)
        self._post(self._answers.offer(self._offer, shown))

    def _agree(self, ask_pin: Callable[[SaleSession], None]) -> None:
        sale = self._sale
        if sale is None or self._offer is None or sale.state is not State.BASKET:
            return
        try:
            ask_pin(sale)
        except WrongPinError as error:
            self._ask_pin_again(error)
        except (PinPadError, SaleRefusedError) as error:
            if sale.state is not State.BASKET:
                raise
            self._post(messages.PinWanted(Reason.of(error)))
        else:
            self._conclude(sale.commit())

    def _ask_pin_again(self, error: WrongPinError) -> None:
        """A wrong PIN has ended the sale: the same offer, from a fresh read, asks again."""
        before, purse = self._offer, self._shown and self._shown.info.core
        self._shown = self._open_sale(self._card.read)
        self._make_offer()
        if self._offer == before and self._shown.info.core == purse:
            self._post(messages.PinWanted(Reason.of(error)))
        else:
            self._post(messages.Aside(Reason.of(error)))

    # from the intent on -----------------------------------------------------------------------

    def _conclude(self, result: SaleResult) -> None:
        sale, code = self._require_sale(), result.conclusion and result.conclusion.code
        if result.closing is not None and result.goods_are_due:
            self._post(self._answers.receipts([result.closing]))
            sale.finish()
        elif result.state is State.UNKNOWN and code is None:
            self._conclude(
                sale.resolve(self._card.driver())
            )  # where it is still in, that is quickest
        else:
            self._stop()
            self._end(Reason(code or ""))

    def _find_out(self, card: PurseCard) -> None:
        if self._sale is not None and self._state in _OPEN:
            self._conclude(self._sale.resolve(card))
        else:
            self._settle(card)

    def _settle(self, card: PurseCard) -> None:
        """Debits of before: the till was closed, or the case was set aside."""
        self._tell(Step.RECOVERY)
        self._settled(self._counter.recovery().settle(card))

    def _settled(self, settled: Sequence[Settled]) -> None:
        entries = [item.entry for item in settled if item.entry is not None]
        closings = [entry for entry in entries if isinstance(entry.body, Committed)]
        if closings:
            self._lost_in_a_row = 0
            self._post(self._answers.receipts(closings))
        elif settled:
            self._end(Reason(settled[-1].conclusion.code))
        else:
            self._invite()

    def _end(self, reason: Reason) -> None:
        """Over without a receipt, unless a debit is open: that comes first."""
        waiting = self._waiting
        if waiting is None:
            self._sale = None
            other = self._card.other_purse(refused=reason.code)
            self._post(messages.Ended(reason, self._slot.card_in, other))
        elif self._state is State.NOT_APPLIED:
            case, pin = self._answers.case(waiting), pin_place(self._shown)
            self._post(messages.NotDebited(case, pin, reason))
        else:
            self._post(messages.OutcomeUnknown(self._answers.case(waiting), reason))

    def _declined(self) -> None:
        self._post(messages.Declined(self._slot.card_in, self._card.other_purse()))

    def _invite(self) -> None:
        waiting = self._waiting
        if waiting is None:
            self._post(messages.CardWanted())
        else:
            self._post(messages.OutcomeUnknown(self._answers.case(waiting), None))

    # ----------------------------------------------------------------------------------------

    @property
    def _state(self) -> State:
        return State.IDLE if self._sale is None else self._sale.state

    @property
    def _waiting(self) -> UnsettledIntent | None:
        return self._counter.till.journal.views.open_intent()

    def _stop(self) -> None:
        """Lets go of a sale that no open debit hangs on."""
        if self._sale is not None and self._state not in _OPEN:
            if self._state is not State.COMMITTED:
                self._sale.stop()
            self._sale = None

    def _require_sale(self) -> SaleSession:
        assert self._sale is not None
        return self._sale

    def _tell(self, step: Step) -> None:
        self._post(messages.Working(step))
