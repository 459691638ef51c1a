"""What the cards hear and say, decoded; newest at the bottom."""

from collections import deque

from rich.text import Text
from textual.events import Resize
from textual.widgets import RichLog

from cardlib.trace import wording as trace_words
from simulator.panel.views import Wording
from simulator.slot import Inserted, Removed, SlotEvent, Spoken, WasReset

LINES_MAX = 2000


class TraceLog(RichLog):
    """A line an exchange, or with :meth:`toggle` all that is known of it."""

    def __init__(self, wording: Wording) -> None:
        super().__init__(max_lines=LINES_MAX, wrap=True, min_width=10)
        self._wording = wording
        self._events: deque[SlotEvent] = deque(maxlen=LINES_MAX)
        self._expanded = False
        self._wrapped_at = 0
        self._title()

    def tell(self, event: SlotEvent) -> None:
        """One more event."""
        self._events.append(event)
        self._write(event)

    def toggle(self) -> None:
        """Short lines, or expanded ones."""
        self._expanded = not self._expanded
        self._title()
        self._write_anew()

    def on_resize(self, event: Resize) -> None:
        """Breaks the lines anew where the width is another."""
        if self._wrapped_at not in (0, event.size.width):
            self._write_anew()
        self._wrapped_at = event.size.width

    def forget(self) -> None:
        """An empty trace."""
        self._events.clear()
        self.clear()

    def _write_anew(self) -> None:
        super().clear()
        for event in self._events:
            self._write(event)

    def _title(self) -> None:
        form = self._wording("expanded" if self._expanded else "short")
        self.border_title = f"{self._wording('trace')} ({form})"

    def _write(self, event: SlotEvent) -> None:
        for line in self._lines(event):
            self.write(line, expand=True)

    def _lines(self, event: SlotEvent) -> list[Text]:
        say = self._wording
        match event:
            case Inserted(slot, name):
                return [Text(say("card_in", slot=slot, card=name), "bold")]
            case Removed(slot, name):
                return [Text(say("card_out", slot=slot, card=name), "bold")]
            case WasReset(slot):
                return [Text(say("reset", slot=slot), "dim")]
            case Spoken():
                return self._spoken(event)

    def _spoken(self, event: Spoken) -> list[Text]:
        lang = self._wording.lang
        if self._expanded:
            name, *rest = trace_words.expanded(event.decoded, lang)
            return [Text.assemble(f"{event.slot} ", (name, "cyan")), *map(Text, rest)]
        name, _, told = trace_words.short(event.decoded, lang).partition(": ")
        style = "bold" if event.decoded.strange else ""
        return [Text.assemble(f"{event.slot} ", (name, "cyan"), ": ", (told, style))]
