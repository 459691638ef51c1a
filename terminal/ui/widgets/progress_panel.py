"""What the card is doing, step by step, for people who wait."""

from rich.text import Text
from textual.widgets import Static

from terminal.sale.states import Step
from terminal.ui.wording import Wording

DONE, NOW = "✓", "▶"


class ProgressPanel(Static):
    """Steps that are done, and the one that is going on."""

    def __init__(self, wording: Wording, panel_id: str) -> None:
        super().__init__(id=panel_id)
        self._wording = wording
        self._steps: list[Step] = []

    def begin(self) -> None:
        """Nothing was done yet."""
        self._steps = []
        self.update("")

    def show(self, step: Step) -> None:
        """The next step."""
        if step in self._steps:
            self._steps = []
        self._steps.append(step)
        done = [Text(f"{DONE}  {self._wording.step(item)}", "dim") for item in self._steps[:-1]]
        now = Text(f"{NOW}  {self._wording.step(step)}", "bold")
        self.update(Text("\n").join([*done, now]))
