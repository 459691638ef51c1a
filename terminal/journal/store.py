"""The journal's file: an encrypted SQLite database in WAL mode, durable at every commit.

One library only (APSW with its own SQLite): another one in the same process
would drop the first one's file locks, and Debian's has the WAL-reset bug.
A write begins with BEGIN IMMEDIATE, so that two processes queue up instead of
failing halfway.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import apsw

from terminal.errors import JournalError
from terminal.journal import schema

BUSY_TIMEOUT_MS = 5_000
LOCK_TIMEOUT_MS = 500
"""Longer than the sync agent needs for a heartbeat where no till runs."""
_SYNC_FULL = 2


class DiskFullError(JournalError):
    """The disk is full: nothing of the transaction was written."""

    default_code = "JOURNAL_DISK_FULL"


def connect(path: Path, key: bytes) -> apsw.Connection:
    """Opens or makes the file with its 32-byte ``key``; JournalError when it does not fit."""
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    connection.pragma("key", f"raw:{key.hex()}")
    try:
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", _SYNC_FULL)
        _prepare(connection)
    except apsw.NotADBError as error:
        connection.close()
        raise JournalError("JOURNAL_KEY_WRONG") from error
    except apsw.FullError as error:
        connection.close()
        raise DiskFullError from error
    return connection


def _prepare(connection: apsw.Connection) -> None:
    if connection.pragma("user_version") == schema.FORMAT:
        return
    with transaction(connection):
        version = connection.pragma("user_version")
        if version == 0:
            connection.execute(schema.STATEMENTS)
            connection.pragma("user_version", schema.FORMAT)
        elif version != schema.FORMAT:
            raise JournalError("JOURNAL_VERSION", version=str(version))


@contextmanager
def transaction(connection: apsw.Connection) -> Generator[None]:
    """One durable transaction: everything or nothing.

    DiskFullError when the disk has no room, JournalError ``JOURNAL_BUSY`` when
    another process holds on to the file.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except apsw.FullError as error:
        _roll_back(connection)
        raise DiskFullError from error
    except apsw.BusyError as error:
        _roll_back(connection)
        raise JournalError("JOURNAL_BUSY") from error
    except apsw.IOError as error:
        _roll_back(connection)
        raise JournalError("JOURNAL_IO", why=str(error)) from error
    except BaseException:
        _roll_back(connection)
        raise


def _roll_back(connection: apsw.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


class WriterLock:
    """One till writes one journal: a second process is refused, also after a crash never stuck.

    Held as an exclusive transaction on a file of its own, which every system's
    SQLite gives up when the process ends, however it ends.
    """

    def __init__(self, path: Path) -> None:
        self._connection = apsw.Connection(str(path))
        self._connection.set_busy_timeout(LOCK_TIMEOUT_MS)
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except apsw.BusyError as error:
            self._connection.close()
            raise JournalError("JOURNAL_IN_USE") from error

    def release(self) -> None:
        """Lets another process write. May be called twice."""
        self._connection.close()
