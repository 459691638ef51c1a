"""The panel as a program: ``borsellino sim panel``."""

import asyncio

from textual.app import App

from simulator.card_keys import CardKeys
from simulator.panel.screen import PanelScreen
from simulator.shelf import Shelf
from simulator.slot import Slot


class PanelApp(App[None]):
    """One screen on a shelf and its slots."""

    TITLE = "Borsellino"
    CSS_PATH = "panel.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self, shelf: Shelf, slots: tuple[Slot, ...], card_keys: CardKeys, lang: str, where: str
    ) -> None:
        super().__init__()
        self.panel = PanelScreen(shelf, slots, card_keys, lang, where)

    def on_mount(self) -> None:
        """The one screen."""
        self.push_screen(self.panel)

    async def on_unmount(self) -> None:
        """All cards are taken out."""
        await asyncio.to_thread(self.panel.hands.close)


def run(shelf: Shelf, slots: tuple[Slot, ...], card_keys: CardKeys, lang: str, where: str) -> None:
    """Shows the panel until somebody closes it; arguments as of ``PanelScreen``."""
    PanelApp(shelf, slots, card_keys, lang, where).run()
