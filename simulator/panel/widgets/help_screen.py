"""All keys, and how other programs reach the slots."""

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from simulator.panel import keys
from simulator.panel.views import Wording


class HelpScreen(ModalScreen[None]):
    """Any of the usual keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, "dismiss", show=False) for key in ("escape", "question_mark", "q", "enter")
    ]

    def __init__(self, wording: Wording, where: str) -> None:
        super().__init__()
        self._wording = wording
        self._where = where

    def compose(self) -> ComposeResult:
        """A box with a table that scrolls."""
        with VerticalScroll(id="help-box") as box:
            box.border_title = self._wording("help_title")
            yield Static(self._table(), id="help-keys")
            yield Static(Text(f"{self._where}\n\n{self._wording('help_close')}"))

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        half = (len(keys.ALL) + 1) // 2
        for left, right in zip(keys.ALL[:half], (*keys.ALL[half:], None), strict=False):
            row = [item for key in (left, right) if key for item in self._cells(key)]
            table.add_row(*row)
        return table

    def _cells(self, key: keys.Key) -> tuple[Text, Text]:
        return Text(key.printed, "bold"), Text(self._wording(key.label))
