"""From the intent on: the debit is concluded, found out, tried again, or set aside.

Also debits of before, which wait in the journal for their card. As in ``serving``, a
request that comes too late is dropped.
"""

from collections.abc import Sequence

from cardlib.codec.pin import Pin
from cardlib.drivers.purse_card import PurseCard
from cardlib.wire.entry_body import Committed
from terminal.recovery.flow import Settled
from terminal.sale.debit import SaleResult
from terminal.sale.states import State, Step
from terminal.ui.at_counter import OPEN, AtCounter
from terminal.ui.messages import Reason


class Settling:
    """What becomes of a debit."""

    def __init__(self, at: AtCounter) -> None:
        self._at = at

    def read_again(self) -> None:
        """The outcome is unknown: a fresh read of the card that is in."""
        if not self._at.slot.card_in:
            self._at.slot.look()
        self.find_out(self._at.card.driver())

    def retry(self, pin: Pin | None) -> None:
        """The same debit again."""
        if self._at.sale is not None and self._at.state is State.NOT_APPLIED:
            self._at.card.driver()
            self.conclude(self._at.sale.retry(pin))

    def retry_on_pad(self) -> None:
        """As :meth:`retry`, with the PIN typed on the reader."""
        if self._at.sale is not None and self._at.state is State.NOT_APPLIED:
            self._at.card.driver()
            self.conclude(self._at.sale.retry_on_pad())

    def give_up(self) -> None:
        """The customer does not want the debit tried again."""
        if self._at.sale is not None and self._at.state is State.NOT_APPLIED:
            self._at.sale.give_up()
            self._at.stop()
            self._at.declined()

    def park(self) -> None:
        """The customer has gone: the case waits, the next one is served."""
        if self._at.sale is not None and self._at.state is State.UNKNOWN:
            self._at.sale.park()
        elif self._at.state is State.IDLE and self._at.waiting is not None:
            self._at.counter.recovery().park()
        else:
            return
        self._at.stop()
        self._at.end(Reason("PARKED"))

    def conclude(self, result: SaleResult) -> None:
        """Tells what came of a debit: the receipt, or what the cashier can do."""
        sale, code = self._at.require_sale(), result.conclusion and result.conclusion.code
        if result.closing is not None and result.goods_are_due:
            self._at.post(self._at.answers.receipts([result.closing]))
            sale.finish()
        elif result.state is State.UNKNOWN and code is None:
            # where the card is still in, that is quickest
            self.conclude(sale.resolve(self._at.card.driver()))
        else:
            self._at.stop()
            self._at.end(Reason(code or ""))

    def find_out(self, card: PurseCard) -> None:
        """Asks a card that came in about the debit that is open."""
        if self._at.sale is not None and self._at.state in OPEN:
            self.conclude(self._at.sale.resolve(card))
        else:
            self.settle(card)

    def settle(self, card: PurseCard) -> None:
        """Debits of before: the till was closed, or the case was set aside."""
        self._at.tell(Step.RECOVERY)
        self._settled(self._at.counter.recovery().settle(card))

    def _settled(self, settled: Sequence[Settled]) -> None:
        entries = [item.entry for item in settled if item.entry is not None]
        closings = [entry for entry in entries if isinstance(entry.body, Committed)]
        if closings:
            self._at.lost_in_a_row = 0
            self._at.post(self._at.answers.receipts(closings))
        elif settled:
            self._at.end(Reason(settled[-1].conclusion.code))
        else:
            self._at.invite()
