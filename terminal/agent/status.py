"""What a person at the till wants to know: what is still here, and since when."""

from dataclasses import dataclass

from cardlib.wire.entry_header import EntryType
from terminal.journal.acknowledgements import Quarantined
from terminal.journal.journal import JournalReader
from terminal.risk import Risk
from terminal.till import Till

SALES = frozenset({EntryType.SALE, EntryType.RECOVERED, EntryType.VOID})


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """Times in Unix seconds, None when there was none; ``days_left`` None without a limit."""

    terminal: int
    merchant: str
    sales_here: int
    entries_here: int
    oldest_here: int | None
    last_answer: int | None
    bundle: int
    days_left: int | None
    quarantined: tuple[Quarantined, ...]


def look(till: Till) -> SyncStatus:
    """The status now; may be asked beside a till that sells and an agent that runs."""
    with till.read_journal() as reader:
        waiting, sales, oldest = _waiting(reader)
        answered = reader.acknowledgements.server_time()
        risk = Risk(till.trust, reader, till.clock, known_since=till.certificate.issued_at)
        return SyncStatus(
            terminal=till.certificate.terminal,
            merchant=till.certificate.merchant_name,
            sales_here=sales,
            entries_here=waiting,
            oldest_here=oldest,
            last_answer=answered.time if answered else None,
            bundle=till.trust.bundle.version if till.trust.bundle else 0,
            days_left=risk.days_left(),
            quarantined=tuple(reader.acknowledgements.quarantined()),
        )


def _waiting(reader: JournalReader) -> tuple[int, int, int | None]:
    """Entries and sales that the backend has not acknowledged, and the first one's time."""
    count = sales = 0
    oldest: int | None = None
    for stored in reader.views.entries(reader.acknowledgements.uploaded().seq):
        entry = stored.decode()
        count += 1
        sales += entry.body.type in SALES
        if oldest is None:
            oldest = entry.header.wall_ms // 1000
    return count, sales, oldest
