"""Room on the disk, made sure of before a card is touched.

On a full disk SQLite cannot even checkpoint. A sale whose card is already
debited must always find room for its entry: a ballast file holds that room and
is given up when nothing else is left. Before the next card it must be whole again.
"""

import os
import shutil
from pathlib import Path
from typing import Protocol

from cardlib.ports import Randomness
from terminal.journal.store import DiskFullError

BALLAST_BYTES = 512 * 1024
"""Some twenty entries, each at most 24 KB of WAL frames."""
HEADROOM_BYTES = 2 * 1024 * 1024
"""What must be free besides: the WAL of a working day and its checkpoint."""


class Disk(Protocol):
    """What the file system says about its room."""

    def free_bytes(self, directory: Path) -> int:
        """Bytes that this user may still write."""
        ...


class SystemDisk:
    """The real file system."""

    def free_bytes(self, directory: Path) -> int:
        """As the operating system tells it."""
        return shutil.disk_usage(directory).free


class Space:
    """The room of one journal. ``randomness`` fills the ballast, so that no disk squeezes it."""

    def __init__(
        self,
        ballast: Path,
        randomness: Randomness,
        disk: Disk | None = None,
        *,
        ballast_bytes: int = BALLAST_BYTES,
        headroom_bytes: int = HEADROOM_BYTES,
    ) -> None:
        self._ballast = ballast
        self._randomness = randomness
        self._disk = disk or SystemDisk()
        self._ballast_bytes = ballast_bytes
        self._headroom_bytes = headroom_bytes

    def reserve(self) -> None:
        """Makes sure of the room for one more sale; DiskFullError when there is none."""
        wanted = self._headroom_bytes + (0 if self._is_whole() else self._ballast_bytes)
        if self._disk.free_bytes(self._ballast.parent) < wanted:
            raise DiskFullError
        if not self._is_whole():
            self._fill()

    def release(self) -> bool:
        """Gives the ballast up; whether there was any."""
        if not self._ballast.exists():
            return False
        self._ballast.unlink()
        return True

    def _is_whole(self) -> bool:
        return self._ballast.exists() and self._ballast.stat().st_size == self._ballast_bytes

    def _fill(self) -> None:
        scratch = self._ballast.with_name(self._ballast.name + ".new")
        try:
            with scratch.open("wb") as stream:
                stream.write(self._randomness.bytes(self._ballast_bytes))
                stream.flush()
                os.fsync(stream.fileno())
            scratch.replace(self._ballast)
        except OSError as error:
            scratch.unlink(missing_ok=True)
            raise DiskFullError from error
