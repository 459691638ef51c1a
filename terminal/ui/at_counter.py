"""Who is at the counter: the card, the sale under way, and what the screen is told of both."""

from collections.abc import Callable

from textual.message import Message

from terminal.counter import Counter
from terminal.journal.views import UnsettledIntent
from terminal.sale.card_shown import CardShown
from terminal.sale.session import SaleSession
from terminal.sale.states import State, Step
from terminal.ui import messages
from terminal.ui.answers import Answers
from terminal.ui.card_slot import CardSlot
from terminal.ui.messages import Reason
from terminal.ui.served_card import ServedCard
from terminal.ui.shown import TillStatus, pin_place

OPEN = (State.UNKNOWN, State.NOT_APPLIED)
"""A debit hangs on the sale."""


class AtCounter:
    """Shared by those who serve the customer. For the worker's thread only."""

    def __init__(
        self, counter: Counter, slot: CardSlot, lang: str, post: Callable[[Message], object]
    ) -> None:
        self.counter = counter
        self.slot = slot
        self.post = post
        self.card = ServedCard(counter, slot)
        self.answers = Answers(counter, lang)
        self.sale: SaleSession | None = None
        self.shown: CardShown | None = None
        self.lost_in_a_row = 0
        self._status: TillStatus | None = None

    @property
    def state(self) -> State:
        """What is true about the money; IDLE without a sale."""
        return State.IDLE if self.sale is None else self.sale.state

    @property
    def waiting(self) -> UnsettledIntent | None:
        """The debit that comes before any other customer, if one is open."""
        return self.counter.till.journal.views.open_intent()

    def require_sale(self) -> SaleSession:
        """The sale under way; only where there must be one."""
        assert self.sale is not None
        return self.sale

    def tell(self, step: Step) -> None:
        """This step of the card begins."""
        self.post(messages.Working(step))

    def tell_status(self) -> None:
        """The status line, when it has changed."""
        status = self.answers.status(self.slot)
        if status != self._status:
            self._status = status
            self.post(messages.StatusChanged(status))

    def stop(self) -> None:
        """Lets go of a sale that no open debit hangs on."""
        if self.sale is not None and self.state not in OPEN:
            if self.state is not State.COMMITTED:
                self.sale.stop()
            self.sale = None

    def end(self, reason: Reason) -> None:
        """Over without a receipt, unless a debit is open: that comes first."""
        waiting = self.waiting
        if waiting is None:
            self.sale = None
            other = self.card.other_purse(refused=reason.code)
            self.post(messages.Ended(reason, self.slot.card_in, other))
        elif self.state is State.NOT_APPLIED:
            case, pin = self.answers.case(waiting), pin_place(self.shown)
            self.post(messages.NotDebited(case, pin, reason))
        else:
            self.post(messages.OutcomeUnknown(self.answers.case(waiting), reason))

    def declined(self) -> None:
        """The customer said no; nothing was taken."""
        self.post(messages.Declined(self.slot.card_in, self.card.other_purse()))

    def invite(self) -> None:
        """Asks for a card; an open debit is told first."""
        waiting = self.waiting
        if waiting is None:
            self.post(messages.CardWanted())
        else:
            self.post(messages.OutcomeUnknown(self.answers.case(waiting), None))
