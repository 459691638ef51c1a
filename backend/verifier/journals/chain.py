"""Law 5, gapless, chained, signed: every journal from its certificate to its head.

What stands in an entry is believed, and noted for the other laws, only after its
signature was verified. A row that the server quarantined may be a link of the
chain (the next entry names its hash) but counts for nothing else.
"""

from dataclasses import dataclass, field

from backend.verifier.decoder import cbor, cose, entries
from backend.verifier.decoder.entries import Entry
from backend.verifier.evidence.heads import Heads
from backend.verifier.export.reader import Export, Row
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.journals.day_closes import DayCloses
from backend.verifier.journals.noted_entries import NotedEntries
from backend.verifier.registry import Registry, Terminal
from backend.verifier.workbook import Workbook

ACCEPTED = "accepted"
_FILE = "entries.jsonl"


@dataclass(slots=True)
class _Journal:
    """How far one terminal's journal was followed."""

    terminal: int
    seq: int
    head: bytes
    detours: dict[tuple[int, bytes], None] = field(default_factory=dict)
    """Quarantined entries that continue the head: a later entry may name them."""

    def continues(self, seq: int, prev: bytes) -> bool:
        return (seq == self.seq + 1 and prev == self.head) or (seq - 1, prev) in self.detours

    def reach(self, seq: int, head: bytes) -> None:
        self.seq, self.head = seq, head
        self.detours.clear()


class ChainAudit:
    """Walks entries.jsonl once, in the order of the file."""

    def __init__(
        self, registry: Registry, heads: Heads, book: Workbook, findings: Findings
    ) -> None:
        self._registry = registry
        self._closes = DayCloses(book, heads, findings)
        self.heads: dict[int, tuple[int, bytes]] = {}
        """How far each journal was followed: number and hash of its last entry."""
        self._book = book
        self._findings = findings
        self._noted = NotedEntries(book, findings)
        self._journal: _Journal | None = None
        self._finished: set[int] = set()
        self.accepted = 0

    def walk(self, export: Export) -> None:
        """Judges every row of entries.jsonl."""
        for row in export.rows(_FILE):
            self._row(row)

    def _row(self, row: Row) -> None:
        digest = row["hash"] if row["bytes"] is None else entries.digest(row["bytes"])
        place = Place(row.file, row.line, row["terminal"], row["seq"])
        if digest is None or row["hash"] not in (None, digest):
            self._add("ENTRY_HASH_OTHER", place)
            return
        accepted = row["verdict"] == ACCEPTED
        self._book.note(
            "entry", digest, row["terminal"], row["seq"], accepted, row.line, row["received_at"],
            row["bytes"] is not None,
        )  # fmt: skip
        if row["bytes"] is None:
            self._hidden(place)
        if not accepted:
            self._quarantined(row, digest, place)
        elif row["seq"] is None or row["terminal"] not in self._registry.terminals:
            self._add("ENTRY_TERMINAL_UNKNOWN", place)
        else:
            self._accepted(row, digest, place)

    def _quarantined(self, row: Row, digest: bytes, place: Place) -> None:
        self._findings.trust("QUARANTINED")
        if row["posting"] is not None:
            self._findings.add(Law.CONSERVATION, "POSTING_UNEXPECTED", place)
        terminal = self._registry.terminals.get(row["terminal"])
        if terminal is None or row["seq"] is None or row["bytes"] is None:
            return
        journal = self._journal_of(row["terminal"], terminal)
        try:
            document, seq, prev = entries.link_of(row["bytes"])
        except cbor.NotOneForm:
            return
        good = document.signed_by(terminal.public, cose.AAD_ENTRY)
        if good and journal.continues(seq, prev):
            journal.detours[seq, digest] = None
            self._closes.miss(row["terminal"])

    def _accepted(self, row: Row, digest: bytes, place: Place) -> None:
        self.accepted += 1
        number, seq = row["terminal"], row["seq"]
        terminal = self._registry.terminals[number]
        journal = self._journal_of(number, terminal)
        if number in self._finished or seq < journal.seq:
            self._add("ENTRY_OUT_OF_ORDER", place, after=journal.seq)
            return
        if seq == journal.seq:
            code = "ENTRY_REPEATED" if digest == journal.head else "ENTRY_TWICE"
            self._findings.add(Law.ONCE, code, place)
            return
        entry = self._read(row, terminal, place)
        self._link(journal, seq, None if entry is None else entry.prev, place)
        journal.reach(seq, digest)
        self.heads[number] = seq, digest
        if entry is None:
            self._closes.miss(number)
            return
        self._noted.note(entry, row, terminal)
        self._closes.take(entry, place, row["received_at"])

    def _journal_of(self, number: int, terminal: Terminal) -> _Journal:
        journal = self._journal
        if journal is None or journal.terminal != number:
            if journal is not None:
                self._finished.add(journal.terminal)
            journal = self._journal = _Journal(number, 0, terminal.start)
        return journal

    def _link(self, journal: _Journal, seq: int, prev: bytes | None, place: Place) -> None:
        """``prev`` None: the row shows no bytes, or none that can be believed."""
        if prev is not None and journal.continues(seq, prev):
            return
        detoured = any(detour_seq == seq - 1 for detour_seq, _ in journal.detours)
        if seq > journal.seq + 1 and not detoured:
            self._add("ENTRY_MISSING", place, first=journal.seq + 1, last=seq - 1)
        elif prev is not None:
            self._add("ENTRY_UNCHAINED", place, seq=seq)

    def _read(self, row: Row, terminal: Terminal, place: Place) -> Entry | None:
        """The entry when it may be believed."""
        if row["bytes"] is None:
            return None
        try:
            entry = entries.read(row["bytes"])
        except cbor.NotOneForm as error:
            self._add("ENTRY_FORM", place, why=str(error))
            return None
        if not entry.document.signed_by(terminal.public, cose.AAD_ENTRY):
            self._add("ENTRY_SIGNATURE", place)
            return None
        if (entry.terminal, entry.seq) != (row["terminal"], row["seq"]):
            self._add("ENTRY_MISPLACED", place, terminal=entry.terminal, seq=entry.seq)
            return None
        return entry

    def _hidden(self, place: Place) -> None:
        """A hash tells nothing of its entry; only an export that says so may leave entries out."""
        if self._registry.left_out:
            self._findings.trust("ENTRY_HIDDEN", about=str(place.terminal))
        else:
            self._add("ENTRY_NOT_SHOWN", place)

    def _add(self, code: str, place: Place, **facts: str | int) -> None:
        self._findings.add(Law.CHAINED, code, place, **facts)
