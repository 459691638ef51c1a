"""The step at which a card was read and the amounts are typed."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Digits, Static

from cardlib.wire.money import ZERO
from terminal.ui.shown import CardView
from terminal.ui.widgets.amount_entry import AmountEntry
from terminal.ui.widgets.keypad import BACK, ENTER, Keypad
from terminal.ui.widgets.reason_line import ReasonLine
from terminal.ui.widgets.wallet_table import WalletTable
from terminal.ui.wording import Wording


class AmountsPanel(Vertical):
    """Vouchers above, categories and figures below."""

    def __init__(self, wording: Wording, panel_id: str) -> None:
        super().__init__(id=panel_id)
        self._wording = wording
        self.wallets = WalletTable(wording)
        self.entry = AmountEntry(wording)
        self.reason = ReasonLine(wording)
        self._typed = Digits("", id="typed")
        self._total = Static("", id="basket-total")

    def compose(self) -> ComposeResult:
        """Figures stand under the categories they go to."""
        yield self.wallets
        yield self.reason
        with Horizontal(id="amounts"):
            with Vertical():
                yield self.entry
                with Horizontal(id="figures"):
                    yield self._total
                    yield self._typed
            yield Keypad()

    def show(self, card: CardView, *, keep: bool) -> None:
        """Another card; ``keep`` the amounts when it is the same one, put back."""
        self.wallets.show(card.wallets)
        self.reason.clear()
        if not keep or not self.entry.has(card.categories):
            self.entry.begin(card.categories)

    @on(AmountEntry.Typed)
    def _show_figures(self, event: AmountEntry.Typed) -> None:
        event.stop()
        say = self._wording
        self._typed.update(say.figure(event.typed))
        self._total.update(f"{say('basket_total')}\n{say.money(event.total)}")
        if event.typed != ZERO:
            self.reason.clear()

    @on(Keypad.Pressed)
    def _press(self, event: Keypad.Pressed) -> None:
        if event.key == ENTER:
            return  # the screen's business, as the keyboard's Enter
        event.stop()
        if event.key == BACK:
            self.entry.action_take_back()
        else:
            self.entry.press(event.key)
