"""Asks for the name and the kind of a new card."""

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from simulator.card.masks import MASKS, WHITE, Mask
from simulator.panel.views import Wording

_LINE_WIDTH = 60


@dataclass(frozen=True, slots=True)
class NewCard:
    """What was asked for."""

    name: str
    mask: str


class NewCardDialog(ModalScreen[NewCard | None]):
    """Enter goes from the name to the kind, and from there to the card; Escape is no."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", show=False)]

    def __init__(self, wording: Wording, name: str) -> None:
        super().__init__()
        self._wording = wording
        self._proposed = name
        self._masks = tuple(MASKS)

    def compose(self) -> ComposeResult:
        """Name above kinds."""
        say = self._wording
        with Vertical(id="new-box") as box:
            box.border_title = say("new_title")
            yield Label(say("new_name"))
            yield Input(self._proposed, id="new-name", max_length=40)
            yield Label(say("new_kind"))
            yield OptionList(*(Option(_line(mask, say)) for mask in MASKS.values()))
            yield Label(say("new_keys"), id="new-keys")

    def on_mount(self) -> None:
        """The town's own card is the usual one."""
        self.query_one(OptionList).highlighted = self._masks.index(WHITE)

    @on(Input.Submitted)
    def _named(self) -> None:
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        name = self.query_one(Input).value.strip()
        if name:
            self.dismiss(NewCard(name, self._masks[event.option_index]))


def _line(mask: Mask, say: Wording) -> Text:
    line = Text.assemble((f"{mask.name:<18}", "bold"), say.mask(mask.name) or mask.about)
    line.truncate(_LINE_WIDTH, overflow="ellipsis")
    return line
