"""The auditor's working papers: a SQLite database in a temporary file.

What has to be joined (entries with acknowledgements, postings with their
neighbours on the card, documents with transfers) is noted here, so that memory
stays flat however long the journals are. The file has no name and vanishes.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

_SCHEMA = """
-- Every row of entries.jsonl, whatever became of it.
CREATE TABLE entry (hash BLOB, terminal INTEGER, seq INTEGER, kept INTEGER, line INTEGER,
    received INTEGER, shown INTEGER);
CREATE INDEX entry_of ON entry (terminal, seq);
CREATE INDEX entry_by_hash ON entry (hash);
CREATE INDEX entry_received ON entry (received);
-- Hidden entries that a shop handed in, and that are of another municipality.
CREATE TABLE of_others (terminal INTEGER, seq INTEGER, PRIMARY KEY (terminal, seq)) WITHOUT ROWID;
-- Accepted intents: what the till said it would write.
CREATE TABLE intent (hash BLOB PRIMARY KEY, short BLOB, terminal INTEGER, seq INTEGER,
    line INTEGER, merchant TEXT, prior_hash BLOB, bytes BLOB) WITHOUT ROWID;
CREATE INDEX intent_after ON intent (prior_hash);
CREATE INDEX intent_short ON intent (short);
CREATE INDEX intent_of ON intent (terminal, seq);
-- Accepted entries of types 2, 3 and 4, with the verdict that the export gives.
CREATE TABLE posting (terminal INTEGER, seq INTEGER, line INTEGER, merchant TEXT,
    issuer BLOB, purse BLOB, ctr INTEGER, record_hash BLOB, prior_hash BLOB, intent BLOB,
    has_tc INTEGER, state TEXT, live INTEGER, amount_open INTEGER, claim TEXT);
CREATE INDEX posting_of ON posting (terminal, seq);
CREATE INDEX posting_on ON posting (issuer, purse, ctr);
CREATE INDEX posting_after ON posting (prior_hash);
-- Records that a card attested: from attestations.jsonl and from proof entries.
CREATE TABLE attested (issuer BLOB, purse BLOB, ctr INTEGER, record_hash BLOB, intent BLOB,
    totals TEXT, line INTEGER);
CREATE INDEX attested_on ON attested (issuer, purse, ctr);
CREATE INDEX attested_record ON attested (record_hash);
CREATE INDEX attested_intent ON attested (intent);
-- Records that a signed journal entry says were read with a tc.
CREATE TABLE read_with_tc (terminal INTEGER, seq INTEGER, record_hash BLOB);
CREATE INDEX read_of ON read_with_tc (terminal, seq);
CREATE INDEX read_record ON read_with_tc (record_hash);
-- Intents that their till closed without a sale: not_applied (5), unresolved (6).
CREATE TABLE closed (intent BLOB, type INTEGER, merchant TEXT, PRIMARY KEY (intent, type))
    WITHOUT ROWID;
-- Grants that tills saw.
CREATE TABLE seen (hash BLOB, terminal INTEGER, seq INTEGER, line INTEGER, grant BLOB);
-- The ledger.
CREATE TABLE transfer (id INTEGER PRIMARY KEY, src TEXT, dst TEXT, cents INTEGER,
    ref_kind TEXT, ref_id TEXT, booked_at INTEGER, line INTEGER, hash BLOB,
    event_time INTEGER);
-- Ledger heads that signed documents name.
CREATE TABLE head (number INTEGER, hash BLOB, source TEXT, file TEXT, line INTEGER,
    terminal INTEGER, seq INTEGER, at INTEGER, received INTEGER, heard INTEGER);
-- Moments of documents that the books themselves hold.
CREATE TABLE known (at INTEGER);
CREATE INDEX transfer_ref ON transfer (ref_kind, ref_id);
CREATE INDEX transfer_src ON transfer (src);
CREATE INDEX transfer_dst ON transfer (dst);
-- Documents that transfers may name, each judged once.
CREATE TABLE judged (ref_kind TEXT, ref_id TEXT, PRIMARY KEY (ref_kind, ref_id)) WITHOUT ROWID;
-- What a live posting is worth in a slot, and what of it came from exposure, by which transfer.
CREATE TABLE claimed (issuer BLOB, purse BLOB, slot INTEGER, ctr INTEGER, cents INTEGER,
    lacked INTEGER, by INTEGER);
CREATE INDEX claimed_on ON claimed (issuer, purse, slot);
-- What an entry may be settled with: its worth, if it is owed to a merchant.
CREATE TABLE owed (entry TEXT PRIMARY KEY, merchant TEXT, cents INTEGER, amount_open INTEGER)
    WITHOUT ROWID;
-- What cases moved to a merchant's claim, by the document that each case is about.
CREATE TABLE decided (document TEXT, merchant TEXT, cents INTEGER);
CREATE INDEX decided_of ON decided (document);
-- What is to be granted again, by the document that it comes from.
CREATE TABLE due (document TEXT, issuer BLOB, purse BLOB, slot INTEGER, cents INTEGER);
CREATE INDEX due_of ON due (document);
-- What every posting is worth, whoever it is owed to.
CREATE TABLE worth (terminal INTEGER, seq INTEGER, cents INTEGER, live INTEGER,
    amount_open INTEGER, time INTEGER, PRIMARY KEY (terminal, seq)) WITHOUT ROWID;
-- Lines of batches that stand for an entry: each entry once.
CREATE TABLE batched (entry TEXT, batch TEXT, cents INTEGER, line INTEGER);
CREATE INDEX batched_of ON batched (entry);
-- Numbers that may be used once, by what they number.
CREATE TABLE used (what TEXT, id TEXT, line INTEGER, PRIMARY KEY (what, id)) WITHOUT ROWID;
"""


class Workbook:
    """The tables above; close it when the audit is over."""

    def __init__(self) -> None:
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
        self._base.execute("BEGIN")

    def note(self, table: str, *values: Any) -> None:
        """Adds a row; one that has the same primary key stays."""
        marks = ", ".join("?" * len(values))
        self._base.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", values)  # noqa: S608

    def ask(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a small answer."""
        return self._base.execute(query, values).fetchall()

    def stream(self, query: str, values: Iterable[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a long answer, one by one."""
        with closing(self._base.cursor()) as cursor:
            yield from cursor.execute(query, tuple(values))

    def first_use(self, what: str, number: str, line: int) -> int | None:
        """None when ``number`` is used for the first time, else the line that had it before."""
        found = self.ask("SELECT line FROM used WHERE what = ? AND id = ?", (what, number))
        if found:
            return int(found[0][0])
        self.note("used", what, number, line)
        return None

    def close(self) -> None:
        """Drops everything."""
        self._base.close()
