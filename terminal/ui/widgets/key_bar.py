"""What each key does now; the same things as buttons."""

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button

BUTTONS = 4


@dataclass(frozen=True, slots=True)
class KeyHint:
    """A key as printed on keyboards, what it does in words, and the screen's action."""

    key: str
    does: str
    action: str


class KeyBar(Horizontal):
    """The lowest lines of the screen."""

    def compose(self) -> ComposeResult:
        """Room for four."""
        for _ in range(BUTTONS):
            button = Button("")
            button.can_focus = False  # the keyboard's Enter is the screen's, never a button's
            button.display = False
            yield button

    def show(self, keys: tuple[KeyHint, ...]) -> None:
        """Offers other keys; the first is the one that goes on."""
        for number, button in enumerate(self.query(Button)):
            button.display = number < len(keys)
            if button.display:
                key = keys[number]
                button.label = f"{key.key}  {key.does}"
                button.variant = "primary" if number == 0 else "default"
                button.action = f"screen.{key.action}"
            button.refresh(layout=True)
