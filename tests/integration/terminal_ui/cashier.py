"""A cashier before the till's screen: presses keys, waits for the worker, reads what is shown."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from textual.pilot import Pilot
from textual.widgets import Digits, Static

from terminal.till import Till
from terminal.ui.app import TillApp
from terminal.ui.steps import UiStep
from terminal.ui.till_screen import TillScreen
from terminal.ui.widgets.pin_dialog import PinDialog
from tests.integration.terminal.stage import PIN
from tests.integration.terminal_ui.reader import Reader

SIZE = (80, 24)
POLL_S = 0.05
PATIENCE = 500


class Cashier:
    """Drives one running till."""

    def __init__(self, app: TillApp, pilot: Pilot[None], reader: Reader) -> None:
        self.app = app
        self.pilot = pilot
        self.reader = reader

    @property
    def screen(self) -> TillScreen:
        return self.app.till_screen

    @property
    def step(self) -> UiStep:
        return self.screen.view.step

    @property
    def asks_pin(self) -> bool:
        return isinstance(self.app.screen, PinDialog)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    def hurry(self) -> None:
        """From now on every question comes too soon for the keys that follow."""
        self.screen._settle_s = 3600

    def take_time(self) -> None:
        """The question in view, and those to come, are answered after a look at them."""
        self.screen._settle_s = 0.001
        self.screen._settle()

    async def until(self, *steps: UiStep) -> None:
        """Waits for one of ``steps``, ready for keys, no dialog above it."""
        for _ in range(PATIENCE):
            await self.pilot.pause(POLL_S)
            ready = self.app.screen is self.screen and self.screen.settled and not self.screen.busy
            if ready and self.step in steps:
                await self.pilot.pause()  # drawn, too
                await self.pilot.pause()
                return
        raise AssertionError(f"{self.step} after all that time:\n{self.text}")

    async def until_pin(self) -> None:
        """Waits for the PIN dialog."""
        for _ in range(PATIENCE):
            await self.pilot.pause(POLL_S)
            if self.asks_pin:
                return
        raise AssertionError(f"no PIN is asked:\n{self.text}")

    async def until_text(self, *parts: str) -> None:
        """Waits until the screen says all of ``parts``, wherever its lines break."""
        for _ in range(PATIENCE):
            await self.pilot.pause(POLL_S)
            if all(part in self.words for part in parts):
                return
        raise AssertionError(f"not on the screen: {parts}\n{self.text}")

    async def type_amount(self, cents: int) -> None:
        """As on a till, and Enter."""
        await self.press(*str(cents), "enter")

    async def to_offer(self, cents: int) -> None:
        """From a card that was read to the question whether the customer agrees."""
        await self.until(UiStep.AMOUNTS)
        await self.type_amount(cents)
        await self.press("enter")
        await self.until(UiStep.OFFER)

    async def pay(self, pin: str = PIN) -> None:
        """The customer agrees and types a PIN."""
        await self.press("enter")
        await self.until_pin()
        await self.press(*pin, "enter")

    @property
    def text(self) -> str:
        """Everything in view, one line a row."""
        app = self.app
        return "\n".join(
            "".join(segment.text for segment in strip).rstrip()
            for strip in app.screen._compositor.render_strips(app.size)
        )

    @property
    def words(self) -> str:
        """The same with line breaks and frames taken out, to look for sentences."""
        return " ".join("".join(c for c in self.text if c not in "│╭╮╰╯─").split())

    def figure(self, name: str) -> str:
        """Large type, by its name."""
        return self.screen.query_one(f"#{name}", Digits).value

    def widget_text(self, selector: str) -> str:
        """What a widget says, in view or not."""
        return str(self.screen.query_one(selector, Static).render())


@asynccontextmanager
async def at_the_till(
    till: Till, reader: Reader, lang: str = "en", *, settle_s: float = 0.001
) -> AsyncGenerator[Cashier]:
    """A till on a screen of 80 by 24."""
    app = TillApp(till, reader.open, lang, poll_s=POLL_S, settle_s=settle_s)
    async with app.run_test(size=SIZE) as pilot:
        yield Cashier(app, pilot, reader)
    if app.till_screen.failure is not None:
        raise app.till_screen.failure
