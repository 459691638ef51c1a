"""The PIN, typed behind dots. It leaves only as a ``Pin``, and nothing of it stays here.

No ``Input``: its value would be a reactive attribute that any inspector can read.
"""

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from cardlib.codec.pin import Pin
from cardlib.errors import PinError
from terminal.ui.messages import Reason
from terminal.ui.widgets.keypad import BACK, ENTER, Keypad
from terminal.ui.widgets.reason_line import ReasonLine
from terminal.ui.wording import Wording

DIGITS_MAX = 8
DOT, PLACE = "●", "·"


class PinDialog(ModalScreen[Pin | None]):
    """Asks the customer for the PIN; None when they change their mind."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter", show=False, priority=True),
        Binding("escape", "cancel", show=False),
        Binding("backspace", "take_back", show=False),
    ]

    def __init__(self, wording: Wording, amount: str, reason: Reason | None = None) -> None:
        super().__init__()
        self._wording = wording
        self._amount = amount
        self._first_reason = reason
        self._digits = ""
        self._dots = Static("", id="pin-dots")
        self._reason = ReasonLine(wording)

    def compose(self) -> ComposeResult:
        """What is paid stands above what is typed."""
        with Horizontal(id="pin-box"):
            with Vertical():
                yield Static(self._amount, id="pin-amount", markup=False)
                yield Static(self._wording("pin_title"), id="pin-title", markup=False)
                yield self._dots
                yield self._reason
                yield Static(self._wording("pin_keys"), id="pin-keys", markup=False)
            yield Keypad()

    def on_mount(self) -> None:
        """Says why it asks again, if it does."""
        self._reason.show(self._first_reason)
        self._set("")

    def on_unmount(self) -> None:
        """Forgets what was typed."""
        self._digits = ""

    def on_key(self, event: events.Key) -> None:
        """Digits."""
        if event.character is not None and event.character in "0123456789":
            event.stop()
            self._press(event.character)

    @on(Keypad.Pressed)
    def _keypad(self, event: Keypad.Pressed) -> None:
        event.stop()
        if event.key == ENTER:
            self.action_enter()
        elif event.key == BACK:
            self.action_take_back()
        else:
            self._press(event.key)

    def action_enter(self) -> None:
        """To the card, unless it can be no PIN."""
        digits, self._digits = self._digits, ""
        try:
            pin = Pin(digits)
        except PinError as error:
            self._reason.show(Reason.of(error))
            self._set("")
        else:
            self._set("")
            self.dismiss(pin)

    def action_cancel(self) -> None:
        """Back, with nothing done."""
        self.dismiss(None)

    def action_take_back(self) -> None:
        """The last digit."""
        self._set(self._digits[:-1])

    def _press(self, digit: str) -> None:
        if len(self._digits) < DIGITS_MAX:
            self._set(self._digits + digit)

    def _set(self, digits: str) -> None:
        self._digits = digits
        self._dots.update(" ".join(DOT * len(digits) + PLACE * (DIGITS_MAX - len(digits))))
