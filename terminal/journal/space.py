"""Room on the disk, made sure of before a card is touched.

On a full disk SQLite cannot even checkpoint. A sale whose card is already
debited must always find room for its entry: a ballast file holds that room and
is given up when nothing else is left. Before the next card it must be whole again.
"""

from pathlib import Path
from typing import Protocol

from cardlib.ports import Randomness
from terminal.journal.store import DiskFullError
from terminal.storage import Storage
from terminal.system_storage import SYSTEM

BALLAST_BYTES = 512 * 1024
"""Some twenty entries, each at most 24 KB of WAL frames."""
HEADROOM_BYTES = 2 * 1024 * 1024
"""What must be free besides: the WAL of a working day and its checkpoint."""


class Disk(Protocol):
    """What the file system says about its room."""

    def free_bytes(self, directory: Path) -> int:
        """Bytes that this user may still write."""
        ...


class Space:
    """The room of one journal. ``randomness`` fills the ballast, so that no disk squeezes it.

    ``disk`` says what is free where that is not the ``storage`` itself.
    """

    def __init__(
        self,
        ballast: Path,
        randomness: Randomness,
        disk: Disk | None = None,
        *,
        storage: Storage = SYSTEM,
        ballast_bytes: int = BALLAST_BYTES,
        headroom_bytes: int = HEADROOM_BYTES,
    ) -> None:
        self._ballast = ballast
        self._randomness = randomness
        self._storage = storage
        self._disk = disk or storage
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
        if not self._storage.exists(self._ballast):
            return False
        self._storage.remove(self._ballast)
        return True

    def _is_whole(self) -> bool:
        return self._storage.size(self._ballast) == self._ballast_bytes

    def _fill(self) -> None:
        try:
            self._storage.write(self._ballast, self._randomness.bytes(self._ballast_bytes))
        except OSError as error:
            raise DiskFullError from error
