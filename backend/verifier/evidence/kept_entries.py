"""Entries that shops hand in from their tills' own journals, against the rows of the export.

An export that leaves out other municipalities shows their entries as hashes, and whoever made
it says which these are. The till has the bytes: what they say belongs to nobody else.
"""

from collections.abc import Sequence

from backend.verifier.decoder import cbor, cose, entries
from backend.verifier.decoder.entries import Entry
from backend.verifier.export.reader import Row
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.registry import Registry
from backend.verifier.workbook import Workbook

_OF_NOBODY = frozenset({entries.HEARTBEAT, entries.DECLINED, entries.BATCH_CLOSE})
"""Types that are about no purse: no municipality has a reason to hide them."""
_ABOUT_AN_INTENT = entries.COMMITTING | {entries.NOT_APPLIED, entries.UNRESOLVED}


class KeptEntryAudit:
    """Judges entries after the journals were walked."""

    def __init__(self, registry: Registry, book: Workbook, findings: Findings) -> None:
        self._registry = registry
        self._book = book
        self._findings = findings
        self._issuers: dict[tuple[int, int], bytes] = {}
        """Of kept intents, by terminal and number: whose purse it is."""

    def check(self, kept: Sequence[Row]) -> None:
        """Rows as `borsellino terminal journal show N --json` prints them."""
        read = [(row, self._read(row)) for row in kept]
        for _, entry in read:
            if entry is not None and entry.type == entries.INTENT:
                self._issuers[entry.terminal, entry.seq] = entries.intent_of(entry).issuer
        for row, entry in read:
            if entry is None:
                self._add("KEPT_ENTRY_BAD", Place(row.file, row.line), row["seq"])
            else:
                self._check_shown(entry, Place(row.file, row.line, entry.terminal, entry.seq))

    def _read(self, row: Row) -> Entry | None:
        """The entry when a till of this export has signed it."""
        try:
            entry = entries.read(row["bytes"])
        except cbor.NotOneForm:
            return None
        terminal = self._registry.terminals.get(entry.terminal)
        signed = terminal and entry.document.signed_by(terminal.public, cose.AAD_ENTRY)
        return entry if signed and entry.seq == row["seq"] else None

    def _check_shown(self, entry: Entry, place: Place) -> None:
        rows = self._book.ask(
            "SELECT hash, shown FROM entry WHERE terminal = ? AND seq = ?",
            (entry.terminal, entry.seq),
        )
        shown = [shown for digest, shown in rows if digest == entry.document.digest]
        if not shown:
            if not rows and entry.seq > self._highest(entry.terminal):
                self._findings.trust("EVIDENCE_NEWER")
            else:
                self._add("KEPT_ENTRY_OTHER", place, entry.seq)
        elif not any(shown):
            self._check_hidden(entry, place)

    def _check_hidden(self, entry: Entry, place: Place) -> None:
        issuer = self._issuer_of(entry)
        if entry.type in _OF_NOBODY or issuer in {town for town, _ in self._registry.issuers}:
            self._add("ENTRY_WITHHELD", place, entry.seq)
        elif issuer is None:
            self._findings.trust("KEPT_ENTRY_OF_NOBODY")
        else:
            self._book.note("of_others", entry.terminal, entry.seq)

    def _issuer_of(self, entry: Entry) -> bytes | None:
        if 32 in entry.fields:
            return bytes(entry.fields[32][9:12])
        if entry.type not in _ABOUT_AN_INTENT:
            return None
        place = entry.terminal, entry.fields[48]
        if place in self._issuers:
            return self._issuers[place]
        found = self._book.ask("SELECT bytes FROM intent WHERE terminal = ? AND seq = ?", place)
        return entries.read_intent(found[0][0]).issuer if found else None

    def _highest(self, terminal: int) -> int:
        found = self._book.ask("SELECT max(seq) FROM entry WHERE terminal = ?", (terminal,))
        return found[0][0] or 0

    def _add(self, code: str, place: Place, seq: int) -> None:
        self._findings.add(Law.CHAINED, code, place, seq=seq)
