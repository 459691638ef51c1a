"""The PIN could not be taken from the reader's keypad: what now? The cashier decides."""

from enum import Enum, auto
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from terminal.ui.messages import Reason
from terminal.ui.widgets.reason_line import ReasonLine
from terminal.ui.wording import Wording


class PadChoice(Enum):
    """Where the PIN is typed."""

    READER = auto()
    TILL = auto()


class PadDialog(ModalScreen[PadChoice | None]):
    """Enter: on the reader. F3: here, which is never taken by itself. Escape: back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose('READER')", show=False, priority=True),
        Binding("f3", "choose('TILL')", show=False),
        Binding("escape", "cancel", show=False),
    ]

    def __init__(self, wording: Wording, amount: str, reason: Reason | None) -> None:
        super().__init__()
        self._wording = wording
        self._amount = amount
        self._why = reason
        self._reason = ReasonLine(wording)

    def compose(self) -> ComposeResult:
        """What is paid, what went wrong, three ways on."""
        say = self._wording
        with Vertical(id="pad-box"):
            yield Static(self._amount, id="pin-amount", markup=False)
            yield Static(say("keypad_title"), markup=False)
            yield self._reason
            with Horizontal():
                yield Button(f"{say('enter')}  {say('pad_reader')}", name="READER")
                yield Button(f"F3  {say('pad_till')}", name="TILL")
                yield Button(f"Esc  {say('pad_back')}", name="back")

    def on_mount(self) -> None:
        """Says why it asks."""
        self._reason.show(self._why)
        for button in self.query(Button):
            button.can_focus = False  # the keyboard's Enter must never press one of them

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.name == "back":
            self.action_cancel()
        else:
            self.action_choose(event.button.name or "")

    def action_choose(self, place: str) -> None:
        """Closes with where the PIN is typed."""
        self.dismiss(PadChoice[place])

    def action_cancel(self) -> None:
        """Back, with nothing done."""
        self.dismiss(None)
