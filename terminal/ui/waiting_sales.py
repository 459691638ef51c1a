"""How many sales are still here, waiting to be sent."""

from cardlib.wire.entry_body import Committed
from terminal.journal.journal import JournalReader


class WaitingSales:
    """Counts them; after the first time it reads new entries only."""

    def __init__(self, journal: JournalReader) -> None:
        self._journal = journal
        self._seen = journal.acknowledgements.uploaded().seq
        self._waiting: list[int] = []

    def count(self) -> int:
        """Sales, recovered sales and voids that the backend has not acknowledged."""
        for stored in self._journal.views.entries(self._seen):
            if isinstance(stored.decode().body, Committed):
                self._waiting.append(stored.seq)
            self._seen = stored.seq
        uploaded = self._journal.acknowledgements.uploaded().seq
        self._waiting = [seq for seq in self._waiting if seq > uploaded]
        return len(self._waiting)
