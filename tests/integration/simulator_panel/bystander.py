"""Somebody before the panel: presses keys, waits until the hands are idle, reads the screen."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Static

from cardlib.text import catalogue
from simulator.card.randomness import SeededRandomness
from simulator.card_keys import CardKeys
from simulator.panel.app import PanelApp
from simulator.panel.screen import PanelScreen
from simulator.shelf import Shelf
from simulator.slot import Slot
from simulator.timing import VirtualClock

SIZE = (80, 24)
PATIENCE = 200
_PAUSE_S = 0.02


class Bystander:
    """Drives one running panel."""

    def __init__(self, app: PanelApp, pilot: Pilot[None], slots: tuple[Slot, ...]) -> None:
        self.app = app
        self.pilot = pilot
        self.slots = slots

    @property
    def screen(self) -> PanelScreen:
        return self.app.panel

    async def press(self, *keys: str) -> None:
        """Presses keys, and waits until all that they ask for is done and shown."""
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        """Waits until the hands have done everything and the screen has heard of it."""
        for _ in range(2):
            await asyncio.wrap_future(self.screen.hands.look())
            await self.pilot.pause()

    async def until(self, *parts: str) -> None:
        """Waits until the screen says all of ``parts``, wherever its lines break."""
        for _ in range(PATIENCE):
            await self.pilot.pause(_PAUSE_S)
            if all(part in self.words for part in parts):
                return
        raise AssertionError(f"not on the screen: {parts}\n{self.text}")

    @property
    def text(self) -> str:
        """What is in view, line by line."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    @property
    def words(self) -> str:
        """The same as one line, frames and gaps left out."""
        return " ".join(self.text.translate({ord(c): " " for c in "│╭╮╰╯─▁▂▃▄▅▆▇█"}).split())

    def shown(self, selector: str) -> str:
        """The text of one Static."""
        return str(self.screen.query_one(selector, Static).render())


@asynccontextmanager
async def before_the_panel(
    folder: Path,
    *,
    lang: str = "en",
    keys: CardKeys = CardKeys(),  # noqa: B008 - frozen
    size: tuple[int, int] = SIZE,
    slots: tuple[Slot, ...] | None = None,
) -> AsyncGenerator[Bystander]:
    """A panel with two slots in this process, on the cards in ``folder``."""
    clock = VirtualClock()
    places = slots or tuple(Slot(number, clock, keys=keys) for number in (1, 2))
    shelf = Shelf(folder, SeededRandomness("panel"))
    where = catalogue.label("panel", "in_process", lang)
    app = PanelApp(shelf, places, keys, lang, where)
    async with app.run_test(size=size) as pilot:
        bystander = Bystander(app, pilot, places)
        await pilot.pause()
        await bystander.settle()
        yield bystander
