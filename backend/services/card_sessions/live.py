"""The dialogues that this process has in hand between two steps, so that none is replayed.

They are memory, never the truth. A dialogue is used again only for a session whose stored
row and steps are, byte for byte, what it went through itself: after a step that another
process took, a restart, or an older copy of the database that was put back, the session is
replayed from what is stored, as if nothing had been kept.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock

from backend.adapters.tables.sessions import CardSessionRow, CardSessionStepRow
from backend.services.card_sessions.desk import Desk
from backend.services.card_sessions.replay import Replay
from cardlib.wire import cbor
from cardlib.wire.cbor import Value

KEPT_MAX = 64
"""Sessions that are in hand at once; the one that waited longest gives way."""


@dataclass(frozen=True, slots=True)
class LiveDialogue:
    """A dialogue that waits for answers, and who decides in it."""

    desk: Desk
    replay: Replay[object]


@dataclass(frozen=True, slots=True)
class _Kept:
    mark: bytes
    expires_at: int
    live: LiveDialogue


class LiveDialogues:
    """One a process. Holds keys and PINs, as the dialogues do: at most a session's time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, row: CardSessionRow, steps: Sequence[CardSessionStepRow]) -> LiveDialogue | None:
        """The dialogue that stands exactly where ``row`` and ``steps`` do; it is gone from here.

        Whoever took it keeps it again once the step is durable; a step that failed leaves
        nothing behind.
        """
        with self._lock:
            kept = self._kept.pop(row.id, None)
        if kept is None or kept.mark != _mark(row, steps):
            return None
        return kept.live

    def keep(
        self, row: CardSessionRow, steps: Sequence[CardSessionStepRow], live: LiveDialogue, now: int
    ) -> None:
        """After the commit that stored ``row`` and ``steps``; what has expired is forgotten."""
        kept = _Kept(_mark(row, steps), row.expires_at, live)
        with self._lock:
            for session in [key for key, item in self._kept.items() if item.expires_at < now]:
                del self._kept[session]
            self._kept[row.id] = kept
            self._kept.move_to_end(row.id)
            while len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)

    def forget(self) -> None:
        """Every dialogue, as a process that ends does."""
        with self._lock:
            self._kept.clear()


def _mark(row: CardSessionRow, steps: Sequence[CardSessionStepRow]) -> bytes:
    """SHA-256 of everything that decides where a replay would end."""
    taken: list[Value] = [[step.step, step.answers_hash, step.reply, step.at] for step in steps]
    return sha256(
        cbor.encode(
            [
                row.id, row.terminal, row.person, row.purpose, row.reference, row.purse_id,
                row.order_id, row.step, row.seed, row.plan, row.created_at, taken,
            ]
        )
    ).digest()  # fmt: skip
