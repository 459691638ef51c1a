"""Where a till keeps what must outlive it: the port, and its rules.

The real one is ``terminal.system_storage``; the simulated town brings one that loses
what was not synced. A *durable step* is a sync, a rename or a removal: what a method
below returned for survives the next power cut.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import apsw


class Database(Protocol):
    """An open database, perhaps shared with others of the same process."""

    @property
    def connection(self) -> apsw.Connection:
        """To ask and to write; never closed by itself."""
        ...

    def sync(self) -> None:
        """What anybody ever committed to it, and may have died before syncing, is durable.

        OSError when the disk does not take it.
        """
        ...

    def close(self) -> None:
        """Gives it back. May be called twice; others who opened it are not disturbed."""
        ...


class Hold(Protocol):
    """Something that only one process has at a time."""

    def release(self) -> None:
        """Lets another process have it. May be called twice."""
        ...


class Storage(Protocol):
    """Files and databases by path. OSError as the operating system raises it."""

    def open_database(self, path: Path, configure: Callable[[apsw.Connection], None]) -> Database:
        """Opens or makes a database; ``configure`` is given every fresh connection first."""
        ...

    def hold(self, path: Path) -> Hold:
        """Until released or this process ends; JournalError ``JOURNAL_IN_USE`` if held."""
        ...

    def make_directory(self, path: Path) -> None:
        """With its parents, for this user alone; nothing when it is there."""
        ...

    def read(self, path: Path) -> bytes:
        """A whole file; FileNotFoundError."""
        ...

    def write(self, path: Path, content: bytes, *, private: bool = False) -> None:
        """Replaces a file durably: a crash leaves the old or the new one, whole.

        ``private``: only this user may read it. Where it fails nothing is left behind.
        """
        ...

    def size(self, path: Path) -> int | None:
        """Of a file, in bytes; None when there is none."""
        ...

    def exists(self, path: Path) -> bool:
        """Whether there is a file of this name."""
        ...

    def remove(self, path: Path) -> None:
        """Gives the file's room back; nothing when there is none."""
        ...

    def free_bytes(self, directory: Path) -> int:
        """Bytes that this user may still write there."""
        ...
