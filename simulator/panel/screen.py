"""The panel's one screen: shows what the hands tell, asks them for what keys say."""

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import OptionList, Static

from simulator.card_keys import CardKeys
from simulator.panel import keys
from simulator.panel.hands import Hands
from simulator.panel.messages import CardLooked, Happened, ShelfLooked, SlotsLooked, Trouble
from simulator.panel.views import SlotView, Wording
from simulator.panel.widgets.card_state import CardState
from simulator.panel.widgets.help_screen import HelpScreen
from simulator.panel.widgets.key_lines import KeyLines
from simulator.panel.widgets.new_card_dialog import NewCard, NewCardDialog
from simulator.panel.widgets.shelf_list import ShelfList
from simulator.panel.widgets.slot_lines import SlotLines
from simulator.panel.widgets.trace_log import TraceLog
from simulator.panel.widgets.trouble_line import TroubleLine
from simulator.shelf import Shelf
from simulator.slot import Inserted, Slot, Spoken

SETTLE_S = 0.2
"""The card's state is looked at once so long after it has last been spoken to."""


class PanelScreen(Screen[None]):
    """``where`` says in words how other programs reach the slots."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(item.key, item.action, show=False) for item in keys.ALL
    ]

    def __init__(
        self, shelf: Shelf, slots: tuple[Slot, ...], card_keys: CardKeys, lang: str, where: str
    ) -> None:
        super().__init__()
        self._wording = Wording(lang)
        self._shelf = shelf
        self._slots = slots
        self._where = where
        self._active = slots[0].number
        self._views: tuple[SlotView, ...] = ()
        self._timer: Timer | None = None
        self.hands = Hands(shelf, slots, card_keys, self.post_message)
        self.shelf_list = ShelfList(self._wording)
        self.slot_lines = SlotLines(self._wording)
        self.trace_log = TraceLog(self._wording)
        self.card_state = CardState(self._wording)
        self.trouble_line = TroubleLine(self._wording)

    def compose(self) -> ComposeResult:
        """Cards and slots beside the trace, the selected card and the keys below."""
        where = f"{self._wording('title')}  {self._where}"
        yield Static(Text(where, no_wrap=True, overflow="ellipsis"), id="where")
        with Horizontal():
            with Vertical(id="left"):
                yield self.shelf_list
                yield self.slot_lines
            yield self.trace_log
        yield self.card_state
        yield self.trouble_line
        yield KeyLines(self._wording)

    def on_mount(self) -> None:
        """The cards have the arrow keys."""
        self.shelf_list.focus()
        self.hands.start()

    # what the hands tell -----------------------------------------------------------------

    @on(ShelfLooked)
    def _shelf_looked(self, told: ShelfLooked) -> None:
        self.shelf_list.show(told.cards, told.select)
        self.hands.select(self.shelf_list.selected)

    @on(SlotsLooked)
    def _slots_looked(self, told: SlotsLooked) -> None:
        self._views = told.slots
        self.slot_lines.show(told.slots, self._active)
        self.shelf_list.show_slots(told.slots)

    @on(CardLooked)
    def _card_looked(self, told: CardLooked) -> None:
        self.card_state.show(told.card)

    @on(Happened)
    def _happened(self, told: Happened) -> None:
        self.trace_log.tell(told.event)
        if isinstance(told.event, Spoken | Inserted) and self._timer is None:
            self._timer = self.set_timer(SETTLE_S, self._look)

    @on(Trouble)
    def _trouble(self, told: Trouble) -> None:
        self.trouble_line.show(told.code, told.facts)

    @on(OptionList.OptionHighlighted)
    def _highlighted(self) -> None:
        self.hands.select(self.shelf_list.selected)

    def _look(self) -> None:
        self._timer = None
        self.hands.look()

    # what keys say -----------------------------------------------------------------------

    def action_move(self, number: int) -> None:
        """Puts the selected card into a slot, or takes it out of there."""
        self.trouble_line.forget()
        if any(slot.number == number for slot in self._slots):
            self._active = number
            self.hands.move(number, self.shelf_list.selected)

    def action_fault(self, name: str) -> None:
        """Arms or disarms a fault in the active slot."""
        self.trouble_line.forget()
        self.hands.toggle(self._active, name)

    def action_disarm(self) -> None:
        """No faults in the active slot."""
        self.trouble_line.forget()
        self.hands.disarm(self._active)

    def action_release(self) -> None:
        """Lets held-back commands through."""
        self.trouble_line.forget()
        self.hands.release(self._active)

    def action_read(self) -> None:
        """Reads the card in the active slot."""
        self.trouble_line.forget()
        self.hands.read(self._active)

    def action_expand(self) -> None:
        """Short or expanded trace."""
        self.trace_log.toggle()

    def action_forget(self) -> None:
        """An empty trace."""
        self.trouble_line.forget()
        self.trace_log.forget()

    def action_files(self) -> None:
        """Wallets, or all files."""
        self.card_state.toggle_files()

    def action_help(self) -> None:
        """All keys."""
        self.app.push_screen(HelpScreen(self._wording, self._where))

    def action_new_card(self) -> None:
        """Asks for a new card."""
        dialog = NewCardDialog(self._wording, self._shelf.free_name())
        self.app.push_screen(dialog, self._make)

    def _make(self, wanted: NewCard | None) -> None:
        if wanted is not None:
            self.trouble_line.forget()
            self.hands.new_card(wanted.name, wanted.mask)

    def action_quit(self) -> None:
        """Ends the panel."""
        self.app.exit()
