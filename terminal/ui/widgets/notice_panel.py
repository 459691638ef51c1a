"""A sentence in the middle of the screen, with its code small beneath."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from terminal.ui.messages import Reason
from terminal.ui.wording import Wording


class NoticePanel(Vertical):
    """What happened, then what to do; either may be missing."""

    def __init__(self, wording: Wording, panel_id: str) -> None:
        super().__init__(id=panel_id)
        self._wording = wording
        self._what = Static("", classes="notice-what", markup=False)
        self._code = Static("", classes="notice-code", markup=False)
        self._advice = Static("", classes="notice-advice", markup=False)

    def compose(self) -> ComposeResult:
        """Top to bottom."""
        yield self._what
        yield self._code
        yield self._advice

    def show(self, reason: Reason | None, advice: str = "") -> None:
        """Another sentence; no code, no line for it."""
        sentence = "" if reason is None else self._wording.explain(reason.code, reason.facts)
        self.say(sentence, advice, "" if reason is None else reason.code)

    def say(self, sentence: str, advice: str = "", code: str = "") -> None:
        """In words of the till's own."""
        for part, text in ((self._what, sentence), (self._code, code), (self._advice, advice)):
            part.update(text)
            part.display = bool(text)
