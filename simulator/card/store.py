"""Where a card's memory is kept."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol


class Store(Protocol):
    """Keeps one image; what ``save`` has returned for survives a crash."""

    def current(self) -> bytes | None:
        """The image as it is now, perhaps changed by another program; None before the first."""
        ...

    def save(self, image: bytes) -> None:
        """Replaces the image, all or nothing."""
        ...


class MemoryStore:
    """Keeps the image in memory; ``saves`` counts, for tests."""

    def __init__(self, image: bytes = b"") -> None:
        self.image = image
        self.saves = 0

    def current(self) -> bytes | None:
        """See :class:`Store`."""
        return self.image or None

    def save(self, image: bytes) -> None:
        """See :class:`Store`."""
        self.image = image
        self.saves += 1


class FileStore:
    """Keeps the image in a file that only its owner reads: it holds keys and PINs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def current(self) -> bytes | None:
        """See :class:`Store`."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None

    def save(self, image: bytes) -> None:
        """Writes a new file beside the old one, syncs it, renames it, syncs the directory."""
        fresh = self.path.with_name(self.path.name + ".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(image)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
        _sync_directory(self.path.parent)


def _sync_directory(path: Path) -> None:
    # Windows opens no directories; there the rename itself is as durable as it gets.
    with suppress(PermissionError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
