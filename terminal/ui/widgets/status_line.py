"""Two lines that are always in view: whose till it is, and how it stands, in words."""

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.widgets import Static

from terminal.ui.shown import TillStatus
from terminal.ui.wording import Wording

SEPARATOR = "  │  "
_TROUBLE = {
    "PCSC_MISSING": "service_lost",
    "PCSC_NOT_PERMITTED": "service_lost",
    "PCSC_SILENT": "service_lost",
    "PCSC_LIBRARY_MISSING": "service_lost",
    "READER_MISSING": "reader_gone",
    "READER_BUSY": "reader_busy",
    "READER_SILENT": "reader_silent",
    "CARD_MUTE": "card_mute",
    "CARD_UNPOWERED": "card_mute",
    "CARD_PROTOCOL": "card_mute",
}


class StatusLine(Static):
    """Shop and till; card, sales that wait to be sent, days left without the network."""

    def __init__(self, wording: Wording, shop: str, terminal: int, *, training: bool) -> None:
        super().__init__()
        self._wording = wording
        self._shop = shop
        self._till = wording("till_number", number=terminal)
        self._training = wording("training") if training else ""

    def show(self, status: TillStatus) -> None:
        """Shows another status."""
        self.set_class(status.warn or status.days_left == 0, "warn")
        grid = Table.grid(expand=True)
        grid.add_column(ratio=1, no_wrap=True)
        grid.add_column(justify="right", no_wrap=True)
        grid.add_row(
            Text(self._shop, "bold", overflow="ellipsis"),
            Text.assemble((self._training, "bold reverse"), "  ", self._till),
        )
        facts = Text(SEPARATOR.join(self._facts(status)), overflow="ellipsis", no_wrap=True)
        self.update(Group(grid, facts))

    def _facts(self, status: TillStatus) -> tuple[str, str, str]:
        say = self._wording
        return (
            self.card_words(status),
            say.count("waiting", status.waiting_sales),
            self._days(status),
        )

    def card_words(self, status: TillStatus) -> str:
        """Whether a card is in, or what keeps the reader from telling."""
        if status.trouble:
            return self._wording(_TROUBLE.get(status.trouble, "reader_trouble"))
        return self._wording("card_in" if status.card_in else "card_out")

    def _days(self, status: TillStatus) -> str:
        if status.days_left is not None:
            return self._wording.count("days_left", status.days_left)
        if status.days_offline == 0:
            return self._wording("synchronised_today")
        return self._wording.count("days_offline", status.days_offline)
