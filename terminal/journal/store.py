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
from terminal.storage import Database, Storage
from terminal.system_storage import SYSTEM

BUSY_TIMEOUT_MS = 5_000
_SYNC_FULL = 2


class DiskFullError(JournalError):
    """The disk is full: nothing of the transaction was written."""

    default_code = "JOURNAL_DISK_FULL"


def connect(path: Path, key: bytes, storage: Storage = SYSTEM) -> Database:
    """Opens or makes the file with its 32-byte ``key``; JournalError when it does not fit."""

    def configure(connection: apsw.Connection) -> None:
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        connection.pragma("key", f"raw:{key.hex()}")
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", _SYNC_FULL)
        _prepare(connection)

    try:
        return storage.open_database(path, configure)
    except apsw.NotADBError as error:
        raise JournalError("JOURNAL_KEY_WRONG") from error
    except apsw.FullError as error:
        raise DiskFullError from error


def make_durable(database: Database) -> None:
    """What can be read here is on the disk from now on; JournalError ``JOURNAL_IO``.

    A process that died between a commit and its sync leaves an entry that everybody sees and
    that the next power cut may take: nobody may act on it, or tell of it, before this.
    """
    try:
        database.sync()
    except OSError as error:
        raise JournalError("JOURNAL_IO", why=str(error)) from error


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
