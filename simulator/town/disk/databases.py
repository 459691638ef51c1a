"""SQLite on a simulated disk: a VFS of APSW, one for all disks.

A VFS stays registered for as long as the process lives, since SQLite3 Multiple Ciphers
lays its own over it by name (``multipleciphers-`` and the name) and keeps the pointer.
So a database's name begins with the number of its disk. There is no shared memory:
a connection sets ``locking_mode=EXCLUSIVE`` before it touches a WAL (SQLite, "Use of WAL
without shared memory"), and one connection serves all of a machine's programs.
"""

from contextlib import suppress
from functools import cache
from weakref import WeakValueDictionary

import apsw

from simulator.town.disk.files import File, directory_of
from simulator.town.disk.medium import Medium, NoRoomError

_NAME = "borsellino-town"
_SECTOR = 4096
_CHECKPOINT_PAGES = 1000
_JOURNALS = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL
_MEDIA: WeakValueDictionary[int, Medium] = WeakValueDictionary()
_NUMBERS = iter(range(1, 1 << 62))


def place(medium: Medium) -> int:
    """Makes a disk known to SQLite; its number."""
    number = next(_NUMBERS)
    _MEDIA[number] = medium
    return number


def connect(number: int, name: str) -> apsw.Connection:
    """An encrypting connection, in exclusive mode; not configured otherwise."""
    _registered()
    medium = _MEDIA[number]
    boots = medium.boots
    connection = apsw.Connection(f"/{number}{name}", vfs=f"multipleciphers-{_NAME}")

    def allow(_cursor: object, _statement: str, _bindings: object) -> bool:
        medium.living(boots)  # what SQLite has in its cache is gone with the process, too
        return True

    connection.exec_trace = allow
    connection.set_wal_hook(_checkpoint)
    connection.pragma("locking_mode", "exclusive")
    return connection


def _checkpoint(connection: apsw.Connection, database: str, pages: int) -> int:
    """SQLite's own automatic checkpoint, which tells nobody that the disk is full.

    APSW would raise the VFS's exception from a COMMIT that succeeded.
    """
    if pages >= _CHECKPOINT_PAGES:
        with suppress(apsw.FullError):
            connection.wal_checkpoint(database)
    return apsw.SQLITE_OK


@cache
def _registered() -> "_Files":
    return _Files()


class _OpenFile:
    """An open file, as SQLite sees it. A handle from before a restart is dead for good."""

    def __init__(self, medium: Medium, file: File, name: str, *, new_journal: bool) -> None:
        self._medium = medium
        self._file = file
        self._name = name
        self._boots = medium.boots
        self._new_journal = new_journal

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        self._check()
        return bytes(self._file.content[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._check()
        try:
            self._medium.write(self._file, offset, data)
        except NoRoomError:
            raise apsw.FullError from None

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._check()
        self._medium.truncate(self._file, size)

    def xSync(self, flags: int) -> None:  # noqa: ARG002, N802
        """A journal's name is synced with its content the first time, as SQLite does on Unix.

        Also that of one that was there: a process that was killed may not have got so far.
        """
        self._check()
        self._medium.sync(self._file)
        if self._new_journal:
            self._medium.sync_directory(directory_of(self._name))
            self._new_journal = False

    def xFileSize(self) -> int:  # noqa: N802
        self._check()
        return len(self._file.content)

    def xClose(self) -> None:  # noqa: N802
        pass

    def xLock(self, level: int) -> None:  # noqa: N802
        pass

    def xUnlock(self, level: int) -> None:  # noqa: N802
        pass

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xFileControl(self, op: int, ptr: int) -> bool:  # noqa: ARG002, N802
        return False

    def xSectorSize(self) -> int:  # noqa: N802
        return _SECTOR

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        """As SQLite assumes of every disk on Unix: a torn write hurts no other bytes."""
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE

    def _check(self) -> None:
        self._medium.living(self._boots)


class _Files(apsw.VFS):
    """Finds the disk by the first part of a name."""

    def __init__(self) -> None:
        super().__init__(_NAME, "")

    def xOpen(  # type: ignore[override]  # noqa: N802 - any object with these methods will do
        self, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> _OpenFile:
        text = name.filename() if isinstance(name, apsw.URIFilename) else name
        if text is None:  # a temporary file, gone when it is closed
            return _OpenFile(Medium(), File(), "", new_journal=False)
        medium, path = _found(text)
        file = medium.find(path)
        may_create = bool(flags[0] & apsw.SQLITE_OPEN_CREATE)
        if file is None and not may_create:
            raise apsw.CantOpenError
        journal = may_create and bool(flags[0] & _JOURNALS)
        return _OpenFile(medium, file or medium.create(path), path, new_journal=journal)

    def xAccess(self, name: str, flags: int) -> bool:  # noqa: ARG002, N802
        medium, path = _found(name)
        return medium.find(path) is not None

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: FBT001, N802
        medium, path = _found(name)
        if medium.find(path) is None:
            raise apsw.exception_for(apsw.SQLITE_IOERR_DELETE_NOENT)
        medium.remove(path)
        if syncdir:
            medium.sync_directory(directory_of(path))

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        return name


def _found(text: str) -> tuple[Medium, str]:
    number, _, path = text[1:].partition("/")
    return _MEDIA[int(number)], "/" + path
