"""The till on a screen: ``borsellino terminal``."""

import asyncio

from textual.app import App

from cardlib.monitor import CardWatch
from terminal.till import Till
from terminal.ui.card_slot import OpenCard
from terminal.ui.till_screen import TillScreen

POLL_S = 0.5
SETTLE_S = 0.3


class TillApp(App[None]):
    """One screen on one opened till; what else it takes is told at ``TillScreen``."""

    TITLE = "Borsellino"
    CSS_PATH = "till.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        till: Till,
        open_card: OpenCard,
        lang: str,
        *,
        poll_s: float = POLL_S,
        settle_s: float = SETTLE_S,
        watch: CardWatch | None = None,
    ) -> None:
        super().__init__()
        self.till_screen = TillScreen(
            till, open_card, lang, poll_s=poll_s, settle_s=settle_s, watch=watch
        )

    def on_mount(self) -> None:
        """The one screen."""
        self.push_screen(self.till_screen)

    async def on_unmount(self) -> None:
        """The card ends what it is doing; the journal is the caller's again."""
        await asyncio.to_thread(self.till_screen.worker.close)

    async def action_quit(self) -> None:
        """Ctrl+Q."""
        self.till_screen.action_leave()


def run(till: Till, open_card: OpenCard, lang: str, watch: CardWatch | None = None) -> None:
    """Serves customers until somebody closes the screen.

    ``till`` is opened to sell; ``open_card`` gives the card in the reader, or raises
    ``cardlib.errors.PresenceError``; ``watch`` tells when one comes or goes, where somebody
    knows; ``lang`` is ``it`` or ``en``. Raises what ended the
    worker before its time: not left to Textual, whose tracebacks show local variables.
    """
    app = TillApp(till, open_card, lang, watch=watch)
    app.run()
    if app.till_screen.failure is not None:
        raise app.till_screen.failure
