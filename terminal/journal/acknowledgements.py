"""What the backend has received of this journal: its signed answers, kept as evidence.

Only the sync agent calls the writing functions; they never touch ``entries``.
"""

from dataclasses import dataclass

import apsw

from cardlib.ports import Clock
from cardlib.wire.ids import Seq
from cardlib.wire.upload import Acknowledgement, Outcome
from terminal.errors import JournalError
from terminal.journal.store import transaction
from terminal.journal.views import Head, StoredEntry, Views, first_row


@dataclass(frozen=True, slots=True)
class ServerTime:
    """The last time that the backend signed: Unix seconds and the nonce it answered."""

    time: int
    nonce: int


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An entry that the backend keeps but does not accept, and why."""

    seq: Seq
    hash: bytes
    reason: str


class Acknowledgements:
    """The agent's half of the journal's file."""

    def __init__(self, db: apsw.Connection, views: Views, clock: Clock) -> None:
        self._db = db
        self._views = views
        self._clock = clock

    def pending(self, count: int) -> list[StoredEntry]:
        """The next entries to upload, oldest first, at most ``count``."""
        return list(self._views.entries(self.uploaded().seq, count))

    def pending_count(self) -> int:
        """How many entries the backend has not acknowledged."""
        return self._views.head().seq - self.uploaded().seq

    def uploaded(self) -> Head:
        """The highest entry up to which the backend holds everything, as it said last.

        A backend that was restored from an older copy says less than it once did.
        """
        high = self._db.execute(
            "SELECT high_seq FROM acknowledgements ORDER BY number DESC LIMIT 1"
        ).get
        if not isinstance(high, int) or high == 0:
            return Head(Seq(0), b"")
        return Head(Seq(high), self._views.entry(high).hash)

    def record(self, complete: bytes, answer: Acknowledgement) -> None:
        """Keeps a verified acknowledgement; ``complete`` are its signed bytes.

        JournalError ``ACKNOWLEDGEMENT_FOREIGN`` when it speaks of entries that are
        not in this journal: then two journals share a terminal number.
        """
        if answer.high_seq and self._hash_at(answer.high_seq) != answer.high_hash:
            raise JournalError("ACKNOWLEDGEMENT_FOREIGN", seq=answer.high_seq)
        with transaction(self._db):
            self._db.execute(
                "INSERT INTO acknowledgements (complete, high_seq, server_time, nonce)"
                " VALUES (?, ?, ?, ?)",
                (complete, answer.high_seq, answer.server_time, _signed(answer.nonce)),
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO quarantined VALUES (?, ?, ?)",
                [
                    (verdict.hash, verdict.seq, verdict.reason)
                    for verdict in answer.verdicts
                    if verdict.outcome is Outcome.QUARANTINED
                ],
            )
            self._set_clock_reference()

    def server_time(self) -> ServerTime | None:
        """The newest time signed by the backend, None before the first answer."""
        row = first_row(
            self._db,
            "SELECT server_time, nonce FROM acknowledgements"
            " ORDER BY server_time DESC, number DESC LIMIT 1",
        )
        return ServerTime(row[0], row[1] % 2**64) if row else None

    def quarantined(self) -> list[Quarantined]:
        """Entries that a person at the backend has to look at."""
        rows = self._db.execute("SELECT seq, hash, reason FROM quarantined ORDER BY seq")
        return [Quarantined(Seq(seq), digest, reason) for seq, digest, reason in rows]

    def kept(self) -> list[bytes]:
        """All acknowledgements as received, oldest first."""
        rows = self._db.execute("SELECT complete FROM acknowledgements ORDER BY number")
        return [complete for (complete,) in rows]

    def newest(self) -> bytes | None:
        """The last one received; None before the first answer."""
        row = first_row(
            self._db, "SELECT complete FROM acknowledgements ORDER BY number DESC LIMIT 1"
        )
        return row[0] if row else None

    def record_bundle(self, version: int, digest: bytes) -> None:
        """Notes that a bundle was installed."""
        with transaction(self._db):
            self._db.execute(
                "INSERT OR REPLACE INTO bundles VALUES (?, ?, ?)",
                (version, digest, self._clock.unix_ms()),
            )

    def bundle_version(self) -> int:
        """The newest bundle ever installed, 0 for none: older ones are refused."""
        version = self._db.execute("SELECT max(version) FROM bundles").get
        return version if isinstance(version, int) else 0

    def _hash_at(self, seq: int) -> bytes | None:
        found = list(self._views.entries(seq - 1, 1))
        return found[0].hash if found and found[0].seq == seq else None

    def _set_clock_reference(self) -> None:
        clock = self._clock
        self._db.execute(
            "INSERT OR REPLACE INTO clock_reference VALUES (1, ?, ?, ?)",
            (clock.boot_id, clock.unix_ms(), clock.monotonic_ms()),
        )


def _signed(nonce: int) -> int:
    """The same 64 bits as SQLite's signed integer."""
    return nonce - 2**64 if nonce >= 2**63 else nonce
