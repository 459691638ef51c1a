"""The machine's own files: the only module of the till that opens, locks and measures them."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import apsw

from cardlib.durable import replace_file, sync_file
from terminal.errors import JournalError
from terminal.storage import Storage

LOCK_TIMEOUT_MS = 500
"""Longer than the sync agent needs for a heartbeat where no till runs."""


@dataclass(frozen=True, slots=True)
class SystemDatabase:
    """A connection of its own for everybody who opens one."""

    connection: apsw.Connection
    path: Path

    def sync(self) -> None:
        """Of the log alone: a checkpoint syncs the database before it lets go of the log.

        SQLite holds no lock on this file that opening and closing it here would drop.
        """
        sync_file(self.path.with_name(self.path.name + "-wal"))

    def close(self) -> None:
        """See :class:`terminal.storage.Database`."""
        self.connection.close()


class FileHold:
    """An exclusive transaction on a file of its own.

    Every system's SQLite gives it up when the process ends, however it ends: after a
    crash nothing is stuck.
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
        """See :class:`terminal.storage.Hold`."""
        self._connection.close()


class SystemStorage:
    """See :class:`terminal.storage.Storage`."""

    def open_database(
        self, path: Path, configure: Callable[[apsw.Connection], None]
    ) -> SystemDatabase:
        """See the port."""
        connection = apsw.Connection(str(path))
        try:
            configure(connection)
        except BaseException:
            connection.close()
            raise
        return SystemDatabase(connection, path)

    def hold(self, path: Path) -> FileHold:
        """See the port."""
        return FileHold(path)

    def make_directory(self, path: Path) -> None:
        """See the port."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def read(self, path: Path) -> bytes:
        """See the port."""
        return path.read_bytes()

    def write(self, path: Path, content: bytes, *, private: bool = False) -> None:
        """See the port."""
        replace_file(path, content, private=private)

    def size(self, path: Path) -> int | None:
        """See the port."""
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return None

    def exists(self, path: Path) -> bool:
        """See the port."""
        return path.exists()

    def remove(self, path: Path) -> None:
        """See the port."""
        path.unlink(missing_ok=True)

    def free_bytes(self, directory: Path) -> int:
        """As the operating system tells it."""
        return shutil.disk_usage(directory).free


SYSTEM: Storage = SystemStorage()
"""The machine's; it has no state."""
