"""Heartbeats: signed entries that say how far this journal is complete (PROTOCOL 6).

Only the till may append to its journal. A till that runs writes its own heartbeats
(:func:`append_heartbeat`, cheap enough for every quarter of an hour); where none runs,
the agent takes the writer's lock for a moment (:func:`beat_when_free`).
"""

from cardlib.wire.entry_body import Heartbeat
from cardlib.wire.entry_header import EntryType
from terminal.errors import JournalError
from terminal.journal.journal import Journal
from terminal.journal.views import Views
from terminal.till import Till

INTERVAL_S = 900
"""Entries of a day without sales: fewer than a hundred."""


def append_heartbeat(journal: Journal) -> bool:
    """Writes one with the last signed server time; False before the first answer came."""
    last = journal.acknowledgements.server_time()
    if last is None:
        return False
    journal.append(Heartbeat(server_time=last.time, nonce=last.nonce))
    return True


def beat_when_free(till: Till) -> bool:
    """As above, where no till holds the journal; False where one does, or on a full disk."""
    try:
        with till.open_journal() as journal:
            journal.circumstances = till.circumstances()
            return append_heartbeat(journal)
    except JournalError:
        return False


def is_due(views: Views, now_ms: int) -> bool:
    """Whether anything else was written since the newest heartbeat, or it is getting old."""
    newest = views.newest(1)
    if not newest:
        return True
    header, body = newest[0].decode().header, newest[0].decode().body
    age_ms = now_ms - header.wall_ms
    return body.type is not EntryType.HEARTBEAT or not 0 <= age_ms < INTERVAL_S * 1000
