"""The journal: what a till writes before and after a card acts.

::

    with Journal.open(paths, key, author) as journal:
        journal.reserve_space()                  # before a card is touched
        entry = journal.append(intent)           # durable when it returns
        ...
        journal.append(sale)                     # room for it was reserved

An entry gets the next number, the hash of the one before and the terminal's
signature inside one transaction. A till is the only writer; the sync agent
opens a :class:`JournalReader`, which can also keep acknowledgements.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Self

from cardlib.keys.module import SecurityModule
from cardlib.ports import Clock
from cardlib.wire import sign1
from cardlib.wire.entry import Entry, encode_payload
from cardlib.wire.entry_body import Body, Committed, NotApplied, Unresolved
from cardlib.wire.entry_header import Header
from cardlib.wire.ids import PurseId, Seq, TerminalNumber
from terminal.journal import derived
from terminal.journal.acknowledgements import Acknowledgements
from terminal.journal.chain import ChainReport, check_chain
from terminal.journal.space import Space
from terminal.journal.store import DiskFullError, connect, make_durable, transaction
from terminal.journal.views import Head, Views
from terminal.storage import Database, Hold, Storage
from terminal.system_storage import SYSTEM


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What every entry says about the till at that moment (keys 9 to 13 and 16).

    ``clock_flags``: 1 when the wall clock is behind the last known time.
    ``cashier`` is a number given by the shop, never a name.
    """

    software: str = ""
    parameters: int = 0
    hotlist: int = 0
    watermark: int = 0
    cashier: str = ""
    clock_flags: int = 0


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes: the terminal, its module, its clock and its certificate's SHA-256."""

    terminal: TerminalNumber
    module: SecurityModule
    clock: Clock
    certificate_hash: bytes


class JournalReader:
    """A journal to read from, and to keep the backend's answers in."""

    def __init__(self, database: Database, author: Author) -> None:
        self._database = database
        self._db = database.connection
        self._author = author
        self.views = Views(self._db, author.certificate_hash)
        self.acknowledgements = Acknowledgements(self._db, self.views, author.clock)

    @classmethod
    def open_shared(
        cls, path: Path, key: bytes, author: Author, storage: Storage = SYSTEM
    ) -> "JournalReader":
        """Opens beside a till that may be writing."""
        return JournalReader(connect(path, key, storage), author)

    def make_durable(self) -> None:
        """Before what was read here leaves this machine; JournalError ``JOURNAL_IO``."""
        make_durable(self._database)

    def check(self) -> ChainReport:
        """Whether every entry is numbered, chained, signed and canonical."""
        return check_chain(self.views, self._author.module.public_key)

    def close(self) -> None:
        """Closes the file. May be called twice."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Journal(JournalReader):
    """The one writer of a journal."""

    def __init__(self, database: Database, author: Author, space: Space, hold: Hold) -> None:
        super().__init__(database, author)
        self._space = space
        self._hold = hold
        self._one_at_a_time = Lock()  # a screen's worker and a heartbeat share this connection
        self.circumstances = Circumstances()

    @classmethod
    def open(
        cls, path: Path, key: bytes, author: Author, space: Space, storage: Storage = SYSTEM
    ) -> Self:
        """Opens or makes a journal; JournalError ``JOURNAL_IN_USE`` while another writes."""
        hold = storage.hold(path.with_name(path.name + ".lock"))
        try:
            database = connect(path, key, storage)
            try:
                make_durable(database)
                return cls(database, author, space, hold)
            except BaseException:
                database.close()
                raise
        except BaseException:
            hold.release()
            raise

    def reserve_space(self) -> None:
        """Makes sure that the entries of a sale find room; DiskFullError when they would not."""
        self._space.reserve()

    def append(self, *bodies: Body, purse: PurseId | None = None) -> Entry:
        """Signs and appends, durably and all or none; the last entry.

        ``purse`` says whose grant a GrantSeen is. On a full disk an entry that
        closes an intent takes the reserved room; any other raises DiskFullError.
        """
        try:
            return self._append(bodies, purse)
        except DiskFullError:
            closes = isinstance(bodies[-1], Committed | NotApplied | Unresolved)
            if not closes or not self._space.release():
                raise
            return self._append(bodies, purse)

    def close(self) -> None:
        """Closes the file and lets another process write."""
        super().close()
        self._hold.release()

    def _append(self, bodies: Sequence[Body], purse: PurseId | None) -> Entry:
        with self._one_at_a_time, transaction(self._db):
            head, batch = self.views.head(), self.views.batch()
            entries: list[Entry] = []
            for body in bodies:
                entry = self._sign(body, head, batch)
                intent_seq = derived.apply(self._db, entry, purse)
                self._db.execute(
                    "INSERT INTO entries VALUES (?, ?, ?, ?, ?)",
                    (entry.header.seq, int(body.type), entry.complete, entry.hash, intent_seq),
                )
                head = Head(entry.header.seq, entry.hash)
                entries.append(entry)
            self._note_boot(entries[-1].header)
        return entries[-1]

    def _sign(self, body: Body, head: Head, batch: int) -> Entry:
        author, now = self._author, self.circumstances
        header = Header(
            terminal=author.terminal,
            seq=Seq(head.seq + 1),
            prev_hash=head.hash,
            wall_ms=author.clock.unix_ms(),
            monotonic_ms=author.clock.monotonic_ms(),
            boot_id=author.clock.boot_id,
            clock_flags=now.clock_flags,
            software=now.software,
            parameters=now.parameters,
            hotlist=now.hotlist,
            watermark=now.watermark,
            module_class=author.module.module_class,
            batch=batch,
            cashier=now.cashier,
        )
        complete = author.module.sign_entry(encode_payload(header, body))
        return Entry(sign1.parse(complete), header, body)

    def _note_boot(self, header: Header) -> None:
        known = self.views.clock_reference()
        if known is None or known.boot_id != header.boot_id:
            self._db.execute(
                "INSERT OR REPLACE INTO clock_reference VALUES (1, ?, ?, ?)",
                (header.boot_id, header.wall_ms, header.monotonic_ms),
            )
