"""The step at which the customer agrees: before, what is paid, after, what remains."""

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Digits, Static

from cardlib.wire.money import ZERO
from terminal.ui.shown import ExcludedRow, OfferView, ShareRow
from terminal.ui.widgets.reason_line import ReasonLine
from terminal.ui.wording import Wording

FIGURES = ("before", "pays", "after", "cash")


class OfferPanel(Vertical):
    """Large figures for the sums; one line a voucher; a sentence for all that is left out."""

    def __init__(self, wording: Wording, panel_id: str) -> None:
        super().__init__(id=panel_id)
        self._wording = wording
        self._figures = {name: Digits("", id=f"figure-{name}") for name in FIGURES}
        self._shares = Static("", id="shares")
        self._excluded = Static("", id="excluded")
        self.reason = ReasonLine(wording)

    def compose(self) -> ComposeResult:
        """Figures first."""
        with Horizontal(id="figures-row"):
            for name, digits in self._figures.items():
                with Vertical(classes="figure"):
                    yield Static(self._wording(f"figure_{name}"))
                    yield digits
        yield self.reason
        with VerticalScroll(can_focus=False):
            yield self._shares
            yield self._excluded

    def show(self, offer: OfferView) -> None:
        """Another offer."""
        say = self._wording
        sums = (offer.before, offer.total, offer.after, offer.other)
        for digits, amount in zip(self._figures.values(), sums, strict=True):
            digits.update(say.figure(amount))
        self.reason.clear()
        self._shares.update(self._table(offer.shares))
        self._excluded.update(self._remaining(offer))

    def _table(self, shares: tuple[ShareRow, ...]) -> Table:
        say = self._wording
        table = Table(box=None, expand=True, padding=(0, 1), header_style="bold")
        table.add_column(say("voucher"), no_wrap=True, ratio=1)
        for name in ("before", "pays", "after"):
            table.add_column(say(f"column_{name}"), justify="right", no_wrap=True)
        for share in shares:
            amounts = (share.before, share.pays, share.after)
            programme = Text(share.programme, overflow="ellipsis")
            table.add_row(programme, *(say.money(amount) for amount in amounts))
        return table

    def _remaining(self, offer: OfferView) -> Text:
        say = self._wording
        if offer.other == ZERO:
            return Text(say("nothing_remains"))
        excluded = sum((row.amount for row in offer.excluded), ZERO)
        lines = [self._line(row) for row in offer.excluded]
        if offer.other != excluded:
            left = say.money(offer.other - excluded)
            lines.append(Text(say("other_line", amount=left)))
        return Text("\n").join(lines)

    def _line(self, row: ExcludedRow) -> Text:
        amount = self._wording.money(row.amount)
        why = self._wording.explain(row.code, {"amount": amount})
        return Text.assemble((f"{row.category}: ", "bold"), why, "  ", (row.code, "dim"))
