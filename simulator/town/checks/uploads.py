"""Laws 7, 9 and 11 between tills and backend: what was written arrived, whole and once.

The backend's chain of a terminal is the journal's, byte for byte and up to ``high_seq``. A till
never believes more to be there than is. A terminal's mark is not past what its newest
contiguous entry can vouch for. At the end every entry that was ever durable is there.
"""

from collections.abc import Collection, Mapping
from hashlib import sha256

import cbor2

from simulator.errors import TownError
from simulator.town.checks.declared import Declared
from simulator.town.checks.evidence import breach
from simulator.town.checks.journals import SeenJournal
from simulator.town.checks.names import NameWatch
from simulator.town.checks.sql import Sql
from simulator.town.checks.words import check_worded

_TERMINALS = "SELECT number, high_seq, high_hash, mark, mark_seq FROM terminal"
_ENTRIES = (
    "SELECT seq, hash, complete, verdict, reason, received_at FROM entry"
    " WHERE terminal = ? AND seq > ? ORDER BY seq"
)

_ANSWERS = "SELECT id, terminal, complete FROM acknowledgement WHERE id > ? ORDER BY id"
_ASIDE = "SELECT id, terminal, seq, hash, complete FROM quarantine WHERE id > ? ORDER BY id"
_SIGNED = "SELECT complete FROM acknowledgement WHERE terminal = ?"
_KEPT = (
    "SELECT 1 FROM entry WHERE terminal = ? AND hash = ?"
    " UNION ALL SELECT 1 FROM quarantine WHERE terminal = ? AND hash = ?"
)


class UploadWatch:
    """Every terminal at the backend."""

    def __init__(self, journals: Mapping[int, SeenJournal], declared: Declared) -> None:
        self._journals = journals
        self._declared = declared
        self._high: dict[int, int] = {}
        self._received: dict[tuple[int, int], int] = {}
        self._last_answer = 0
        self._last_aside = 0
        self._names = NameWatch(declared)
        self._caught_up: set[int] = set()
        self._marks: dict[int, tuple[int, int]] = {}
        """Mark, and the entry that it names."""

    def check(self, sql: Sql, touched: Collection[int] | None) -> None:
        """What arrived since the last look; ``touched`` as in ``JournalWatch.look``."""
        self._names.check_bundles(sql)
        self._check_answers(sql)
        self._check_aside(sql)
        for terminal, high, digest, mark, mark_seq in sql.ask(_TERMINALS):
            journal = self._journals.get(terminal)
            if journal is None or self._is_doubtful(terminal):
                continue
            known = self._high.get(terminal, 0)
            if high < known:
                raise _lost(f"terminal {terminal}", f"{known} entries were here, {high} are")
            if high > known:
                self._check_arrived(sql, journal, terminal, known, high)
                if bytes(digest) != journal.hashes[high - 1]:
                    raise _changed(f"{terminal}:{high}", "high_hash is not the journal's")
                self._high[terminal] = high
            self._check_mark(journal, terminal, mark, mark_seq)
            if touched is None or terminal in touched:
                self._check_believed(terminal, journal.till.acknowledged(), high)

    def _check_believed(self, terminal: int, believed: int, high: int) -> None:
        """A till knows more only where the backend went back, and until it has told it again."""
        if believed <= high:
            self._caught_up.add(terminal)
        elif terminal in self._caught_up or not self._declared.backend_restores:
            what = f"acknowledged up to {believed}, kept up to {high}"
            raise _lost(f"terminal {terminal}", what)

    def _check_answers(self, sql: Sql) -> None:
        """What the backend signed that it keeps, it keeps, with a reason that has a sentence."""
        for number, terminal, complete in sql.ask(_ANSWERS, self._last_answer):
            self._last_answer = number
            _, _, payload, _ = cbor2.loads(bytes(complete)).value
            for seq, digest, outcome, reason in cbor2.loads(payload)[7]:
                if outcome != "quarantined":
                    continue
                place = f"{terminal}:{seq}"
                if not sql.ask(_KEPT, terminal, digest, terminal, digest):
                    raise _lost(place, f"answered with {reason}, and not kept")
                check_worded(reason, place)

    def _check_aside(self, sql: Sql) -> None:
        """What found no place is kept as it came."""
        for number, terminal, seq, digest, complete in sql.ask(_ASIDE, self._last_aside):
            self._last_aside = number
            if sha256(bytes(complete)).digest() != bytes(digest):
                raise _changed(f"{terminal}:{seq}", "what was kept back is not what came")

    def check_all(self, sql: Sql) -> None:
        """At the end: every entry that was ever durable is in its place, every answer kept."""
        for terminal, journal in self._journals.items():
            if self._is_doubtful(terminal):
                continue
            if not self._declared.backend_restores:
                signed = {bytes(complete) for (complete,) in sql.ask(_SIGNED, terminal)}
                if not signed.issuperset(journal.till.answers()):
                    raise _changed(f"terminal {terminal}", "it keeps an answer that nobody gave")
            stored: dict[int, bytes] = dict(
                sql.ask("SELECT seq, complete FROM entry WHERE terminal = ?", terminal)
            )
            if terminal not in self._declared.lost_terminals:
                missing = sorted(set(range(1, journal.seq + 1)) - stored.keys())
                if missing:
                    raise _lost(f"terminal {terminal}", f"entries {missing[:5]} never came")
            for seq, complete in stored.items():
                if sha256(bytes(complete)).digest() != journal.hashes[seq - 1]:
                    raise _changed(f"{terminal}:{seq}", "the bytes are not the journal's")

    def _is_doubtful(self, terminal: int) -> bool:
        return (
            terminal in self._declared.rogue_terminals
            or terminal in self._declared.restored_journals
        )

    def _check_arrived(
        self, sql: Sql, journal: SeenJournal, terminal: int, known: int, high: int
    ) -> None:
        seq = known
        for seq, digest, complete, verdict, reason, received in sql.ask(_ENTRIES, terminal, known):
            place = f"{terminal}:{seq}"
            if seq > journal.seq:
                raise breach("TOWN_JOURNAL_BROKEN", 5, place, "sent before it was durable")
            stored = sha256(bytes(complete)).digest()
            if not stored == bytes(digest) == journal.hashes[seq - 1]:
                raise _changed(place, "the stored bytes are not the journal's")
            if verdict != "accepted":
                raise breach("TOWN_ALARM_FALSE", 0, place, f"quarantined as {reason}")
            self._received[terminal, seq] = received
        if seq != high:
            raise _lost(f"terminal {terminal}", f"high_seq {high}, but entries up to {seq}")

    def _check_mark(self, journal: SeenJournal, terminal: int, mark: int, seq: int) -> None:
        """Not past its entries, by both clocks; one that stands stays, whatever a clock does."""
        before, known = self._marks.get(terminal, (0, 0))
        if (mark, seq) == (before, known):
            return
        limit = before
        for number in range(known + 1, seq + 1):
            wall_ms, is_open = journal.heartbeats.get(number, (0, True))
            if not is_open:
                received = self._received.get((terminal, number), 0)
                limit = max(limit, min(wall_ms // 1000, received))
        if mark > limit or journal.heartbeats.get(seq, (0, True))[1]:
            what = f"mark {mark} at entry {seq}, which vouches up to {limit}"
            raise breach("TOWN_MARK_AHEAD", 9, f"terminal {terminal}", what)
        self._marks[terminal] = mark, seq


def _lost(subject: str, what: str) -> TownError:
    return breach("TOWN_ENTRY_LOST", 7, subject, what)


def _changed(subject: str, what: str) -> TownError:
    return breach("TOWN_BYTES_CHANGED", 11, subject, what)
