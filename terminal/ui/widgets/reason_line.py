"""Why something is not possible: the sentence, and its code small beside it."""

from rich.text import Text
from textual.widgets import Static

from terminal.ui.messages import Reason
from terminal.ui.wording import Wording


class ReasonLine(Static):
    """Takes no room while there is nothing to say."""

    def __init__(self, wording: Wording) -> None:
        super().__init__()
        self._wording = wording
        self.display = False

    def show(self, reason: Reason | None) -> None:
        """A sentence for a queue to read: it shames nobody."""
        if reason is None:
            self.clear()
            return
        self.say(self._wording.explain(reason.code, reason.facts), reason.code)

    def say(self, sentence: str, code: str = "") -> None:
        """The sentence itself."""
        self.update(Text.assemble((sentence, "bold"), "  ", (code, "dim")))
        self.display = True

    def clear(self) -> None:
        """Nothing to say."""
        self.update("")
        self.display = False
