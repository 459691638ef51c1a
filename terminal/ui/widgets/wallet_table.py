"""The vouchers of a card: programme, balance, last day, what they buy."""

from rich.table import Table
from rich.text import Text
from textual.widgets import Static

from terminal.ui.shown import Validity, WalletRow
from terminal.ui.wording import Wording


class WalletTable(Static):
    """One line a voucher."""

    def __init__(self, wording: Wording) -> None:
        super().__init__()
        self._wording = wording

    def show(self, wallets: tuple[WalletRow, ...]) -> None:
        """Shows another card."""
        say = self._wording
        table = Table(box=None, expand=True, padding=(0, 1), header_style="bold")
        table.add_column(say("voucher"), no_wrap=True, ratio=3)
        table.add_column(say("balance"), no_wrap=True, justify="right")
        table.add_column(say("valid"), no_wrap=True)
        table.add_column(say("buys"), no_wrap=True, ratio=3)
        for wallet in wallets:
            table.add_row(
                Text(wallet.programme, "bold", overflow="ellipsis"),
                say.money(wallet.balance),
                self._validity(wallet),
                Text(", ".join(wallet.buys), overflow="ellipsis"),
                style="" if wallet.validity is Validity.VALID else "dim",
            )
        self.update(table)

    def _validity(self, wallet: WalletRow) -> str:
        say = self._wording
        if wallet.validity is Validity.NOT_YET:
            return say("valid_from", day=say.day(wallet.valid_from))
        key = "expired_on" if wallet.validity is Validity.EXPIRED else "valid_to"
        return say(key, day=say.day(wallet.valid_to))
