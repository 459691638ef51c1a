"""The panel as a program: ``borsellino sim panel``."""

import asyncio
import signal
import sys

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
        """The one screen. A closed window or a kill ends it as ``q`` does, daemon and all."""
        if sys.platform != "win32":
            for number in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, self.exit)
        self.push_screen(self.panel)

    async def on_unmount(self) -> None:
        """All cards are taken out."""
        await asyncio.to_thread(self.panel.hands.close)


def run(shelf: Shelf, slots: tuple[Slot, ...], card_keys: CardKeys, lang: str, where: str) -> None:
    """Shows the panel until somebody closes it; arguments as of ``PanelScreen``."""
    PanelApp(shelf, slots, card_keys, lang, where).run()
