"""Between customers: what the agent fetched is taken up, and the till says that it is alive."""

from contextlib import suppress

from terminal.agent import heartbeat
from terminal.errors import JournalError
from terminal.recovery.told import Told
from terminal.till import Till

KEEP_UP_S = 30
"""How often the till looks for what the agent fetched."""


class BetweenCustomers:
    """The till's own chores. For the worker's thread only."""

    def __init__(self, till: Till) -> None:
        self._till = till
        self._keep_up_at = self._beat_at = 0

    def keep_up(self) -> list[Told]:
        """Does what is due; called as often as one likes.

        The outcomes of earlier sales that the backend has told since.
        """
        till = self._till
        now = till.clock.monotonic_ms()
        if now < self._keep_up_at:
            return []
        self._keep_up_at = now + KEEP_UP_S * 1000
        till.refresh()
        if now >= self._beat_at:
            self._beat_at = now + heartbeat.INTERVAL_S * 1000
            with suppress(JournalError):  # a full disk is said when the next card comes
                heartbeat.append_heartbeat(till.journal)
        told, till.told = till.told, []
        return told
