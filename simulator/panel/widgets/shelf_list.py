"""The cards on the shelf; the highlighted one is the one that keys and the card's state mean."""

from rich.text import Text
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from simulator.panel.views import SlotView, Wording
from simulator.shelf import ShelfCard

_NAME_WIDTH, _LINE_WIDTH = 11, 28


class ShelfList(OptionList):
    """One line a card: name, kind, and the slot that it is in."""

    def __init__(self, wording: Wording) -> None:
        super().__init__()
        self._wording = wording
        self.border_title = wording("shelf")
        self._cards: tuple[ShelfCard, ...] = ()
        self._in_slot: dict[str, int] = {}

    @property
    def selected(self) -> ShelfCard | None:
        """The highlighted card."""
        at = self.highlighted
        return self._cards[at] if at is not None and at < len(self._cards) else None

    def show(self, cards: tuple[ShelfCard, ...], select: str) -> None:
        """Shows another shelf; goes to the card named, if any."""
        wanted = select or (self.selected.name if self.selected else "")
        self._cards = cards
        self._draw()
        names = [card.name for card in cards]
        if cards:
            self.highlighted = names.index(wanted) if wanted in names else 0

    def show_slots(self, slots: tuple[SlotView, ...]) -> None:
        """Shows which cards are in a slot."""
        in_slot = {slot.card: slot.number for slot in slots if slot.card}
        if in_slot != self._in_slot:
            self._in_slot = in_slot
            at = self.highlighted
            self._draw()
            self.highlighted = at

    def _draw(self) -> None:
        self.clear_options()
        self.add_options([Option(self._line(card)) for card in self._cards])

    def _line(self, card: ShelfCard) -> Text:
        slot = self._in_slot.get(card.name)
        place = f"[{slot}]" if slot else "   "
        kind = self._wording("unreadable") if card.trouble else card.mask
        name = card.name[:_NAME_WIDTH].ljust(_NAME_WIDTH)
        line = Text.assemble(f"{place} ", (name, "bold"), f" {kind}")
        line.truncate(_LINE_WIDTH, overflow="ellipsis")
        return line
