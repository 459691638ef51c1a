"""Questions to the journal: by the sale, by recovery, by the sync agent and by people."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apsw

from cardlib.codec.purse import Totals
from cardlib.wire.entry import Entry, decode_entry
from cardlib.wire.entry_body import Intent
from cardlib.wire.entry_header import EntryType
from cardlib.wire.ids import PurseId, Seq
from terminal.errors import JournalError
from terminal.journal.derived import IntentState


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as it lies in the journal: complete signed bytes and their SHA-256."""

    seq: Seq
    complete: bytes
    hash: bytes

    def decode(self) -> Entry:
        """Its fields."""
        return decode_entry(self.complete)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry; of an empty journal seq 0 and the certificate's hash."""

    seq: Seq
    hash: bytes


@dataclass(frozen=True, slots=True)
class UnsettledIntent:
    """An intent that no entry has closed yet."""

    seq: Seq
    purse: PurseId
    ctr: int
    state: IntentState


@dataclass(frozen=True, slots=True)
class OwnMark:
    """The newest state of a purse that this till itself wrote: counter and record's SHA-256."""

    ctr: int
    record_hash: bytes


@dataclass(frozen=True, slots=True)
class ClockReference:
    """A moment of one boot on both clocks, to see the wall clock leave the monotonic one."""

    boot_id: bytes
    wall_ms: int
    monotonic_ms: int


class Views:
    """Reads the journal; each answer is one consistent look."""

    def __init__(self, db: apsw.Connection, certificate_hash: bytes) -> None:
        self._db = db
        self.certificate_hash = certificate_hash
        """What the first entry is chained to."""

    def head(self) -> Head:
        """The newest entry's number and hash."""
        row = first_row(self._db, "SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1")
        return Head(Seq(row[0]), row[1]) if row else Head(Seq(0), self.certificate_hash)

    def entry(self, seq: int) -> StoredEntry:
        """One entry; JournalError ``ENTRY_MISSING`` when there is none of that number."""
        found = list(self.entries(seq - 1, 1))
        if not found or found[0].seq != seq:
            raise JournalError("ENTRY_MISSING", seq=seq)
        return found[0]

    def entries(self, after: int = 0, count: int = -1) -> Iterator[StoredEntry]:
        """Entries with a number above ``after``, in order, at most ``count``."""
        rows = self._db.execute(
            "SELECT seq, complete, hash FROM entries WHERE seq > ? ORDER BY seq LIMIT ?",
            (after, count),
        )
        return (StoredEntry(Seq(seq), complete, digest) for seq, complete, digest in rows)

    def newest(self, count: int) -> list[StoredEntry]:
        """The last ``count`` entries, oldest of them first."""
        return list(self.entries(max(0, self.head().seq - count)))

    def unsettled(self, purse: PurseId | None = None) -> list[UnsettledIntent]:
        """Open and unresolved intents, of one purse or of all, oldest first."""
        rows = self._db.execute(
            "SELECT seq, purse, ctr, state FROM intents WHERE state IN ('open', 'unresolved')"
            " AND (?1 IS NULL OR purse = ?1) ORDER BY seq",
            (None if purse is None else str(purse),),
        )
        return [
            UnsettledIntent(Seq(seq), PurseId.parse(text), ctr, IntentState(state))
            for seq, text, ctr, state in rows
        ]

    def open_intent(self) -> UnsettledIntent | None:
        """The one intent whose outcome is unknown and that nobody has parked."""
        return next((item for item in self.unsettled() if item.state is IntentState.OPEN), None)

    def intent_state(self, seq: int) -> IntentState | None:
        """What became of the intent ``seq``; None when that entry is no intent."""
        state = self._db.execute("SELECT state FROM intents WHERE seq = ?", (seq,)).get
        return None if state is None else IntentState(str(state))

    def closing(self, intent_seq: int) -> StoredEntry | None:
        """The newest entry about an intent other than the intent itself."""
        seq = self._db.execute(
            "SELECT max(seq) FROM entries WHERE intent_seq = ?1 AND seq > ?1", (intent_seq,)
        ).get
        return None if seq is None else self.entry(_as_int(seq))

    def is_voided(self, intent_seq: int) -> bool:
        """Whether a void of this sale is committed or still unsettled."""
        return bool(
            self._db.execute(
                "SELECT count(*) FROM intents WHERE voids = ? AND state <> 'not_applied'",
                (intent_seq,),
            ).get
        )

    def own_mark(self, purse: PurseId) -> OwnMark | None:
        """This till's own high-water mark for a purse."""
        row = first_row(self._db, "SELECT ctr, record_hash FROM purses WHERE purse = ?", str(purse))
        return OwnMark(*row) if row else None

    def own_totals(self, purse: PurseId) -> Totals | None:
        """What this till itself last left as spent by slot, None for a purse new to it."""
        row = first_row(
            self._db,
            "SELECT e.complete FROM purses p JOIN intents i ON i.purse = p.purse AND i.ctr = p.ctr"
            " JOIN entries e ON e.seq = i.seq WHERE p.purse = ? AND i.state = 'committed'",
            str(purse),
        )
        body = decode_entry(row[0]).body if row else None
        return body.plan.totals if isinstance(body, Intent) else None

    def grant_seen(self, purse: PurseId, grant_seq: int) -> Seq | None:
        """The entry that holds a grant, None when it is not in the journal yet."""
        row = first_row(
            self._db,
            "SELECT entry_seq FROM grants_seen WHERE purse = ? AND grant_seq = ?",
            str(purse),
            grant_seq,
        )
        return Seq(row[0]) if row else None

    def receipt_number(self) -> int:
        """The number of the last receipt, 0 when there was none."""
        return _as_int(self._db.execute("SELECT receipt FROM counters").get)

    def batch(self) -> int:
        """The open batch (a Z closes it)."""
        return _as_int(self._db.execute("SELECT batch FROM counters").get)

    def batch_start(self) -> Seq:
        """The number of the open batch's first entry: the one after the last close."""
        closed = self._db.execute(
            "SELECT max(seq) FROM entries WHERE type = ?", (int(EntryType.BATCH_CLOSE),)
        ).get
        return Seq(1 if closed is None else _as_int(closed) + 1)

    def clock_reference(self) -> ClockReference | None:
        """Where wall and monotonic time last stood together, by an entry or the server."""
        row = first_row(self._db, "SELECT boot_id, wall_ms, monotonic_ms FROM clock_reference")
        return ClockReference(*row) if row else None


def first_row(db: apsw.Connection, query: str, *bindings: str | int) -> tuple[Any, ...] | None:
    """The one row of a query, None when there is none; leaves no statement running."""
    rows = db.execute(query, bindings).fetchall()
    return rows[0] if rows else None


def _as_int(value: object) -> int:
    assert isinstance(value, int)
    return value
