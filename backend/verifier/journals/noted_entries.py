"""What a verified entry means for money and grants, noted in the workbook.

The record on the card is enciphered; its type, counter and intent hash stand in
clear. So a sale is bound to the intent whose hash its record carries, and the
totals are those that the till signed in that intent.
"""

from dataclasses import dataclass
from typing import Any

from backend.verifier.decoder import entries
from backend.verifier.decoder.entries import Entry, Intent
from backend.verifier.export.reader import Row
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.registry import TRAINING_ISSUER, Terminal
from backend.verifier.workbook import Workbook

_KIND = {entries.SALE: entries.RECORD_SALE, entries.VOID: entries.RECORD_VOID}


@dataclass(frozen=True, slots=True)
class NotedEntries:
    """Sorts verified entries into the workbook's tables."""

    book: Workbook
    findings: Findings

    def note(self, entry: Entry, row: Row, terminal: Terminal) -> None:
        """Files one entry by its type."""
        place = Place(row.file, row.line, entry.terminal, entry.seq)
        if entry.type in entries.COMMITTING:
            self._committed(entry, row, terminal, place)
        elif row["posting"] is not None:
            self.findings.add(Law.CONSERVATION, "POSTING_UNEXPECTED", place)
        if entry.type == entries.INTENT:
            self._intent(entry, terminal, place)
        elif entry.type in (entries.NOT_APPLIED, entries.UNRESOLVED):
            self._closed(entry, terminal)
        elif entry.type == entries.PROOF:
            self._proof(entry)
        elif entry.type == entries.GRANT_SEEN:
            grant = entry.fields[61]
            digest = entries.digest(grant)
            self.book.note("seen", digest, entry.terminal, entry.seq, row.line, grant)

    def _intent(self, entry: Entry, terminal: Terminal, place: Place) -> None:
        intent = entries.intent_of(entry)
        follows = (
            entries.record_ctr(intent.prior) + 1 == intent.ctr
            and entries.digest(intent.prior)[:4] == intent.prev
        )
        if not follows:
            self.findings.add(Law.CONSERVATION, "PLAN_NOT_AFTER_READ", place)
        digest, complete = entry.document.digest, entry.document.complete
        self.book.note(
            "intent", digest, digest[:8], entry.terminal, entry.seq, place.line,
            terminal.merchant, entries.digest(intent.prior), complete,
        )  # fmt: skip

    def _committed(self, entry: Entry, row: Row, terminal: Terminal, place: Place) -> None:
        intent_hash, record = entry.fields[49], entry.fields[50]
        intent = self._intent_of(entry, intent_hash)
        if intent is None:
            self.findings.add(Law.CHAINED, "SALE_WITHOUT_INTENT", place, intent=entry.fields[48])
            return
        if not _follows(entry.type, record, intent, intent_hash):
            self.findings.add(Law.CONSERVATION, "RECORD_NOT_OF_INTENT", place)
            return
        if terminal.training or intent.issuer == TRAINING_ISSUER:
            self.findings.trust("TRAINING_EXCLUDED")
            return
        if self.book.first_use("intent", intent_hash.hex(), row.line) is not None:
            self.findings.add(Law.ONCE, "INTENT_TWICE", place, intent=entry.fields[48])
        if row["posting"] is None:
            self.findings.add(Law.CONSERVATION, "POSTING_MISSING", place)
            return
        self._posting(entry, row, terminal, intent)

    def _posting(self, entry: Entry, row: Row, terminal: Terminal, intent: Intent) -> None:
        record_hash, verdict = entries.digest(entry.fields[50]), row["posting"]
        has_tc = entry.fields[52] is not None
        self.book.note(
            "posting", entry.terminal, entry.seq, row.line, terminal.merchant,
            intent.issuer, intent.purse, intent.ctr, record_hash, entries.digest(intent.prior),
            entry.fields[49], has_tc, verdict["state"], _is_live(verdict),
            verdict["amount_open"], verdict["claim"],
        )  # fmt: skip
        if has_tc:
            self.book.note("read_with_tc", entry.terminal, entry.seq, record_hash)

    def _intent_of(self, entry: Entry, intent_hash: bytes) -> Intent | None:
        found = self.book.ask(
            "SELECT bytes FROM intent WHERE hash = ? AND terminal = ? AND seq = ?",
            (intent_hash, entry.terminal, entry.fields[48]),
        )
        return entries.read_intent(found[0][0]) if found else None

    def _closed(self, entry: Entry, terminal: Terminal) -> None:
        for (intent,) in self.book.ask(
            "SELECT hash FROM intent WHERE terminal = ? AND seq = ?",
            (entry.terminal, entry.fields[48]),
        ):
            self.book.note("closed", intent, entry.type, terminal.merchant)

    def _proof(self, entry: Entry) -> None:
        for _, record, _, tc in entry.fields[59]:
            if tc is not None:
                self.book.note("read_with_tc", entry.terminal, entry.seq, entries.digest(record))


def _is_live(verdict: dict[str, Any]) -> bool:
    """Whether a posting is on the purse's live chain; said, or following from its state."""
    live = verdict["live"]
    return bool(verdict["state"] in ("proven", "unproven") if live is None else live)


def _follows(kind: int, record: bytes, intent: Intent, intent_hash: bytes) -> bool:
    """Whether what a record shows in clear is what the intent announced."""
    return (
        record[0] == intent.kind == _KIND.get(kind, intent.kind)
        and entries.record_ctr(record) == intent.ctr
        and entries.record_intent(record) == intent_hash[:8]
    )
