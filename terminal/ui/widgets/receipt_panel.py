"""The receipt as it is printed, beside what the cashier has to say."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Digits, Static

from terminal.ui.messages import SaleClosed
from terminal.ui.wording import Wording


class ReceiptPanel(Horizontal):
    """Paper on the left, the sum on the right; arrows roll the paper."""

    def __init__(self, wording: Wording, panel_id: str) -> None:
        super().__init__(id=panel_id)
        self._wording = wording
        self._text = Static("", id="paper-text", markup=False)
        self.paper = VerticalScroll(self._text, id="paper")
        self._total = Digits("", id="receipt-total")
        self._told = Static("", id="receipt-told")

    def compose(self) -> ComposeResult:
        """Paper, sum, what to do."""
        yield self.paper
        with Vertical():
            yield Static(self._wording("figure_pays"))
            yield self._total
            yield self._told

    def show(self, closed: SaleClosed) -> None:
        """Another receipt."""
        self._text.update(closed.receipts.rstrip("\n"))
        self.paper.scroll_home(animate=False)
        self._total.update(self._wording.figure(closed.total))
        self.tell(card_in=True)

    def tell(self, *, card_in: bool) -> None:
        """Take the card out, or: it was taken out."""
        self._told.update(self._wording("take_card" if card_in else "card_taken"))
