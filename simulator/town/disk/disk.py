"""The disk of one machine of the town, as the till's storage port."""

import errno
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import apsw

from simulator.town.disk import databases
from simulator.town.disk.files import directory_of
from simulator.town.disk.medium import Medium, NoRoomError, Side
from simulator.town.killed import Killed
from terminal.errors import JournalError


@dataclass(frozen=True, slots=True)
class DiskCopy:
    """A backup: every file as programs saw it at that moment."""

    contents: Mapping[str, bytes]


class SimulatedDisk:
    """Implements ``terminal.storage.Storage`` in memory, for one machine and its programs.

    ::

        disk.kill_at(3, "after")       # Killed at the third durable step from here
        ...
        disk.power_cut(rng)            # optional: what was not synced is in danger
        disk.restart()                 # programs open everything anew
    """

    def __init__(self) -> None:
        self._medium = Medium()
        self._number = databases.place(self._medium)
        self._open: dict[str, _Shared] = {}
        self._holds: dict[str, _Hold] = {}

    # terminal.storage.Storage --------------------------------------------------------------

    def open_database(
        self, path: Path, configure: Callable[[apsw.Connection], None]
    ) -> "SharedDatabase":
        """One connection for everybody on this machine; the last to close it closes it."""
        self._medium.living()
        name = _name(path)
        if name not in self._open:
            self._open[name] = self._connect(name, configure)
        return SharedDatabase(self._open[name])

    def hold(self, path: Path) -> "_Hold":
        """See the port."""
        self._medium.living()
        name = _name(path)
        if name in self._holds:
            raise JournalError("JOURNAL_IN_USE")
        self._holds[name] = _Hold(self._holds, name)
        return self._holds[name]

    def make_directory(self, path: Path) -> None:
        """Nothing: a directory is there as soon as it is named."""

    def read(self, path: Path) -> bytes:
        """See the port."""
        file = self._medium.find(_name(path))
        if file is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return bytes(file.content)

    def write(self, path: Path, content: bytes, *, private: bool = False) -> None:  # noqa: ARG002
        """The same steps as on real files: write and sync beside it, rename, sync the names."""
        medium, name = self._medium, _name(path)
        scratch = name + ".new"
        file = medium.create(scratch)
        try:
            medium.write(file, 0, content)
        except NoRoomError:
            medium.remove(scratch)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from None
        medium.sync(file)
        medium.rename(scratch, name)
        medium.sync_directory(directory_of(name))

    def size(self, path: Path) -> int | None:
        """See the port."""
        file = self._medium.find(_name(path))
        return None if file is None else len(file.content)

    def exists(self, path: Path) -> bool:
        """See the port."""
        return self._medium.find(_name(path)) is not None

    def remove(self, path: Path) -> None:
        """See the port."""
        self._medium.remove(_name(path))

    def free_bytes(self, directory: Path) -> int:  # noqa: ARG002 - one disk, one number
        """See the port."""
        self._medium.living()
        return self._medium.free

    # what happens to the machine -----------------------------------------------------------

    @property
    def steps(self) -> int:
        """Durable steps so far: syncs, renames, removals."""
        return self._medium.steps

    @property
    def refused(self) -> int:
        """How many writes found the disk full so far."""
        return self._medium.refused

    @property
    def dead(self) -> bool:
        """Whether it was killed or lost its power, and was not started again."""
        return self._medium.dead

    def fill(self, leave: int = 0) -> None:
        """Somebody's film takes all the room but ``leave`` bytes."""
        self._medium.limit = self._medium.used + leave

    def clear(self) -> None:
        """The film is deleted."""
        self._medium.limit = None

    def kill_at(self, number: int, side: Side) -> None:
        """Killed is raised before or after the ``number``-th durable step from now (0: never).

        From then on every operation raises Killed, until :meth:`restart`.
        """
        self._medium.kill_at(number, side)

    def kill(self) -> None:
        """The programs of this machine are dead; what they wrote is not in danger."""
        self._medium.dead = True

    def power_cut(self, rng: Random) -> None:
        """Dead; each write and each name not synced is kept or lost, a write perhaps torn."""
        self._medium.lose_power(rng)

    def restart(self) -> None:
        """On again; what programs had open before is closed, and writes nothing any more."""
        self._medium.dead = True
        for shared in self._open.values():
            shared.abandon()
        self._open.clear()
        self._holds.clear()
        self._medium.start()

    def copy(self) -> DiskCopy:
        """A backup of what is seen now."""
        return DiskCopy(self._medium.contents())

    def restore(self, backup: DiskCopy) -> None:
        """Switched off, a backup put back in place of everything, started again."""
        self._medium.put_back(dict(backup.contents))
        self.restart()

    def _connect(self, name: str, configure: Callable[[apsw.Connection], None]) -> "_Shared":
        connection = databases.connect(self._number, name)
        shared = _Shared(
            connection, lambda: self._sync(name + "-wal"), self._medium,
            lambda: self._open.pop(name, None),
        )  # fmt: skip
        try:
            configure(connection)
        except BaseException:
            shared.abandon()
            raise
        return shared

    def _sync(self, name: str) -> None:
        file = self._medium.find(name)
        if file is not None:
            self._medium.sync(file)
            self._medium.sync_directory(directory_of(name))


class _Shared:
    """A connection and how many have it open."""

    def __init__(
        self, connection: apsw.Connection, sync: Callable[[], None], medium: Medium,
        gone: Callable[[], object],
    ) -> None:  # fmt: skip
        self.connection = connection
        self.sync = sync
        self.users = 0
        self._medium = medium
        self._boots = medium.boots
        self._gone = gone

    def give_back(self) -> None:
        """The last one closes it. A full disk only means that the WAL stays."""
        self.users -= 1
        if self.users or self._medium.dead or self._boots != self._medium.boots:
            return
        self._gone()
        with suppress(apsw.FullError):
            self.connection.close()

    def abandon(self) -> None:
        """Closed with nothing more written, like the files of a dead process."""
        with suppress(apsw.Error, Killed):
            self.connection.close(force=True)


class SharedDatabase:
    """Implements ``terminal.storage.Database``."""

    def __init__(self, shared: _Shared) -> None:
        self._shared: _Shared | None = shared
        self.connection = shared.connection
        self.sync = shared.sync
        shared.users += 1

    def close(self) -> None:
        """See the port."""
        shared, self._shared = self._shared, None
        if shared is not None:
            shared.give_back()


class _Hold:
    def __init__(self, holds: "dict[str, _Hold]", name: str) -> None:
        self._holds = holds
        self._name = name

    def release(self) -> None:
        """See ``terminal.storage.Hold``; one from before a restart releases nothing."""
        if self._holds.get(self._name) is self:
            del self._holds[self._name]


def _name(path: Path) -> str:
    return "/" + path.as_posix().lstrip("/")
