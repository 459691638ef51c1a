"""The whole face of the till: status, title, one panel, keys. Shows; decides nothing."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import ContentSwitcher

from cardlib.calendar import local_time
from terminal.sale.states import Step
from terminal.ui.messages import Reason, SaleClosed
from terminal.ui.shown import CardView, OfferView, OpenCase, TillStatus
from terminal.ui.steps import UiStep, keys_of
from terminal.ui.widgets.amounts_panel import AmountsPanel
from terminal.ui.widgets.key_bar import KeyBar
from terminal.ui.widgets.notice_panel import NoticePanel
from terminal.ui.widgets.offer_panel import OfferPanel
from terminal.ui.widgets.progress_panel import ProgressPanel
from terminal.ui.widgets.receipt_panel import ReceiptPanel
from terminal.ui.widgets.status_line import StatusLine
from terminal.ui.widgets.step_title import StepTitle
from terminal.ui.wording import Wording


class TillView(Vertical):
    """One ``show_…`` a step; ``step`` is the one in view."""

    def __init__(self, wording: Wording, shop: str, terminal: int, *, training: bool) -> None:
        super().__init__()
        self._wording = wording
        self.step = UiStep.WORKING
        self.other_purse = False
        """Whether the card in view may hold another purse."""
        self.status = StatusLine(wording, shop, terminal, training=training)
        self._title = StepTitle()
        self._keys = KeyBar()
        self._progress = ProgressPanel(wording, UiStep.WORKING)
        self.amounts = AmountsPanel(wording, UiStep.AMOUNTS)
        self._offered: OfferView | None = None
        self._offer = OfferPanel(wording, UiStep.OFFER)
        self._receipt = ReceiptPanel(wording, UiStep.RECEIPT)
        notices = (UiStep.INSERT, UiStep.NOTICE, UiStep.UNKNOWN, UiStep.NOT_DEBITED)
        self._notices = {step: NoticePanel(wording, step) for step in notices}

    def compose(self) -> ComposeResult:
        """Top to bottom."""
        yield self.status
        yield self._title
        with ContentSwitcher(initial=UiStep.WORKING):
            yield self._progress
            yield self.amounts
            yield self._offer
            yield self._receipt
            yield from self._notices.values()
        yield self._keys

    def show_insert(self, reason: Reason | None, status: TillStatus) -> None:
        """Put a card in; ``reason`` when one was pulled out, or the reader does not work."""
        if status.trouble:
            reason = Reason(status.trouble)
        self._notices[UiStep.INSERT].show(reason, self._wording("insert_advice"))
        self._go(UiStep.INSERT, key="insert_trouble" if status.trouble else "")

    def show_working(self, step: Step) -> None:
        """The card works."""
        if self.step is not UiStep.WORKING:
            self._progress.begin()
        self._progress.show(step)
        self._go(UiStep.WORKING, key="keypad" if step is Step.PIN_PAD else "")

    def show_amounts(self, card: CardView, *, keep: bool) -> None:
        """Type the amounts; ``keep`` those of the same card, put back."""
        self.other_purse = card.other_purse
        self.amounts.show(card, keep=keep)
        self.back_to_amounts()

    def back_to_amounts(self, reason: Reason | None = None) -> None:
        """Change the amounts."""
        self.amounts.reason.show(reason)
        self._go(UiStep.AMOUNTS)
        self.amounts.entry.focus()

    def show_offer(self, offer: OfferView) -> None:
        """Does the customer agree?"""
        self._offered = offer
        self._offer.show(offer)
        self._go(UiStep.OFFER, amount=self._wording.money(offer.total))

    def return_to_offer(self) -> None:
        """The same offer again."""
        if self._offered is not None:
            self.show_offer(self._offered)

    def show_receipt(self, closed: SaleClosed) -> None:
        """The customer has paid."""
        self._receipt.show(closed)
        self._go(UiStep.RECEIPT, key="receipt_late" if closed.recovered else "receipt")
        self._receipt.paper.focus()

    def card_taken(self) -> None:
        """The receipt stays in view until somebody goes on."""
        self._receipt.tell(card_in=False)

    def roll_receipt(self) -> None:
        """The next piece of the receipt."""
        self._receipt.paper.scroll_page_down()

    def show_notice(self, reason: Reason | None, *, other_purse: bool = False) -> None:
        """Over without a receipt; None when the customer said no."""
        self.other_purse = other_purse
        notice, advice = self._notices[UiStep.NOTICE], self._wording("notice_advice")
        if reason is None:
            notice.say(self._wording("declined"), advice)
        else:
            notice.show(reason, advice)
        self._go(UiStep.NOTICE)

    def show_unknown(self, case: OpenCase, reason: Reason | None) -> None:
        """Whether the card was debited is not known."""
        self._notices[UiStep.UNKNOWN].show(reason, self._of_case("unknown_advice", case))
        self._go(UiStep.UNKNOWN)

    def show_not_debited(self, case: OpenCase, reason: Reason | None) -> None:
        """The card was not debited: try again?"""
        self._notices[UiStep.NOT_DEBITED].show(reason, self._of_case("not_debited_advice", case))
        self._go(UiStep.NOT_DEBITED)

    def _of_case(self, key: str, case: OpenCase) -> str:
        at = local_time(case.unix)
        amount = self._wording.money(case.amount)
        return self._wording(
            key, number=case.seq, amount=amount, day=f"{at:%d/%m/%Y}", time=f"{at:%H:%M}"
        )

    def _go(self, step: UiStep, *, key: str = "", **facts: object) -> None:
        self.step = step
        self.screen.set_focus(None)
        self.query_one(ContentSwitcher).current = step
        name = key or step.value
        hint = self._wording(f"{name}_hint", **facts)
        self._title.show(self._wording(f"{name}_title", **facts), hint)
        self._keys.show(keys_of(step, self._wording, other_purse=self.other_purse))
