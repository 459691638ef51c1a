"""One line above the keys: what could not be done, until the next key."""

from collections.abc import Mapping

from rich.text import Text
from textual.widgets import Static

from simulator.panel.views import Wording


class TroubleLine(Static):
    """Code and sentence of the last trouble."""

    def __init__(self, wording: Wording) -> None:
        super().__init__()
        self._wording = wording

    def show(self, code: str, facts: Mapping[str, str | int]) -> None:
        """Shows a trouble."""
        self.update(Text(f"{code}: {self._wording.explain(code, **facts)}"))

    def forget(self) -> None:
        """Nothing is wrong."""
        self.update("")
