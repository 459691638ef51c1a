"""The selected card: its purses with their wallets, tries, and on demand its files."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from simulator import description, modules
from simulator.panel.views import CardView, PurseView, Wording


class CardState(VerticalScroll):
    """As whoever holds the keys sees it."""

    can_focus = False

    def __init__(self, wording: Wording) -> None:
        super().__init__()
        self._wording = wording
        self._card: CardView | None = None
        self._files = False
        self._body = Static()
        self.border_title = wording("card")

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        yield self._body

    def show(self, card: CardView | None) -> None:
        """Shows another card, or the same as it is now."""
        self._card = card
        self._draw()

    def toggle_files(self) -> None:
        """Wallets, or the files of the whole card."""
        self._files = not self._files
        self._draw()

    def _draw(self) -> None:
        card = self._card
        if card is None:
            self.border_title = self._wording("card")
            self._body.update(self._wording("no_card"))
            return
        self.border_title = f"{self._wording('card')} {card.name}"
        lines = self._all_files(card) if self._files and card.facts else self._state(card)
        self._body.update(Text("\n").join(lines))

    def _all_files(self, card: CardView) -> list[Text]:
        return [Text(line) for line in description.lines_of(card.facts, self._wording.lang)]

    def _state(self, card: CardView) -> list[Text]:
        say = self._wording
        if card.module is not None:
            return [Text(line) for line in modules.as_lines(card.module, say.lang)]
        tries = say("tries", left=card.tries_left) if card.tries_left else ""
        lines = [Text(f"{card.mask}  {card.serial}  {tries}".rstrip())]
        for purse in card.purses:
            lines += self._purse(purse)
        return lines if card.purses else [*lines, Text(say("no_purse"), "dim")]

    def _purse(self, purse: PurseView) -> list[Text]:
        say = self._wording
        facts = {"number": purse.number, "purse": purse.purse, "issuer": purse.issuer}
        told = say("purse", ctr=purse.ctr, tries=purse.tries_left, **facts)
        lines = [Text(told, "bold")]
        if purse.wallets is None:
            return [*lines, Text("  " + say("no_keys"), "dim")]
        for wallet in purse.wallets:
            balance, granted = say.money(wallet.balance), say.money(wallet.granted)
            facts = {"slot": wallet.slot, "programme": wallet.programme, "day": wallet.valid_to}
            lines.append(Text("  " + say("wallet", balance=balance, granted=granted, **facts)))
        return lines
