"""Twelve keys for a mouse or a finger, where there is no keyboard at hand."""

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Grid
from textual.message import Message
from textual.widgets import Button

BACK, ENTER = "backspace", "enter"
_KEYS = {**{digit: digit for digit in "789456123"}, "←": BACK, "0": "0", "↵": ENTER}


class Keypad(Grid):
    """Digits, back and enter."""

    @dataclass
    class Pressed(Message):
        """``key``: a digit, ``backspace`` or ``enter``."""

        key: str

    def compose(self) -> ComposeResult:
        """Four rows of three."""
        for face, key in _KEYS.items():
            button = Button(face, name=key, classes="keypad-key")
            button.can_focus = False  # the keyboard's Enter must never press a key here
            yield button

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.post_message(self.Pressed(event.button.name or ""))
