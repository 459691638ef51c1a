"""A question that is answered by yes or no."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from terminal.ui.wording import Wording


class QuestionDialog(ModalScreen[bool]):
    """Enter is yes, Escape is no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "answer(True)", show=False, priority=True),
        Binding("escape", "answer(False)", show=False),
    ]

    def __init__(self, wording: Wording, question: str) -> None:
        super().__init__()
        self._wording = wording
        self._question = question

    def compose(self) -> ComposeResult:
        """The question and two buttons."""
        say = self._wording
        with Vertical(id="question-box"):
            yield Static(self._question, markup=False)
            with Horizontal():
                yield Button(f"{say('enter')}  {say('yes')}", name="yes", variant="primary")
                yield Button(f"Esc  {say('no')}", name="no")

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.action_answer(event.button.name == "yes")

    def action_answer(self, yes: bool) -> None:  # noqa: FBT001 - what a dialog's answer is
        """Closes with the answer."""
        self.dismiss(yes)
