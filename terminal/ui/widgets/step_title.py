"""What is to be done now, in large letters as far as a terminal has any."""

from rich.text import Text
from textual.widgets import Static


class StepTitle(Static):
    """One line that says it, one that explains."""

    def show(self, title: str, hint: str = "") -> None:
        """Shows another step."""
        self.update(Text.assemble((title, "bold"), "\n", hint))
