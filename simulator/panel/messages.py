"""What the hands tell the screen: one dataclass a happening."""

from collections.abc import Mapping
from dataclasses import dataclass

from textual.message import Message

from simulator.panel.views import CardView, SlotView
from simulator.shelf import ShelfCard
from simulator.slot import SlotEvent


@dataclass
class ShelfLooked(Message):
    """The cards on the shelf; ``select`` names the one to go to, empty for no change."""

    cards: tuple[ShelfCard, ...]
    select: str = ""


@dataclass
class SlotsLooked(Message):
    """How the slots are now."""

    slots: tuple[SlotView, ...]


@dataclass
class CardLooked(Message):
    """How the selected card is now; None when it cannot be read."""

    card: CardView | None


@dataclass
class Happened(Message):
    """Something happened in a slot."""

    event: SlotEvent


@dataclass
class Trouble(Message):
    """Something asked for could not be done."""

    code: str
    facts: Mapping[str, str | int]
