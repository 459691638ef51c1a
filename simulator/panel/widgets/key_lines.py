"""The lowest lines: the keys that are needed most; the others are in the help."""

from rich.text import Text
from textual.events import Resize
from textual.widgets import Static

from simulator.panel import keys
from simulator.panel.views import Wording

_GAP = "  "


class KeyLines(Static):
    """Keys in words; no line breaks between a key and its word."""

    def __init__(self, wording: Wording) -> None:
        super().__init__()
        self._words = [
            Text.assemble((item.printed, "bold"), f" {wording(item.brief)}")
            for item in keys.IN_VIEW
        ]

    def on_resize(self, event: Resize) -> None:
        """Fills the lines anew."""
        lines = [Text()]
        for word in self._words:
            if lines[-1] and len(lines[-1]) + len(_GAP) + len(word) > event.size.width - 2:
                lines.append(Text())
            lines[-1] = Text(_GAP).join([lines[-1], word]) if lines[-1] else word
        self.update(Text("\n").join(lines))
