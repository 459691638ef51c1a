"""Where a card's memory is kept, and the files beside it that hold secrets."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from simulator.errors import ImageError


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


class KeptImage:
    """A card's image as last saved: written when it changes, and never over a stranger's.

    A card is in one reader at a time, so what another program has saved since is taken
    over at power-up and not overwritten before.
    """

    def __init__(self, image: bytes, store: Store | None) -> None:
        self.saved = image
        self._store = store or MemoryStore()

    def save(self, image: bytes) -> None:
        """Saves a changed image; ImageError ``CARD_IMAGE_IN_USE`` on top of another's change."""
        if image == self.saved:
            return
        if self._store.current() not in (None, self.saved):
            raise ImageError("CARD_IMAGE_IN_USE")
        self._store.save(image)
        self.saved = image

    def changed_elsewhere(self) -> bytes | None:
        """What another program has saved since; None when nobody has."""
        current = self._store.current()
        return None if current == self.saved else current


def read_image(path: Path) -> bytes:
    """The image at ``path``; ImageError when there is none to read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageError(why=f"{path}: {error.strerror}") from error


def write_new(path: Path, text: str) -> None:
    """A new file that only its owner reads; ImageError ``CARD_IMAGE_EXISTS`` when there is one."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ImageError("CARD_IMAGE_EXISTS", path=str(path)) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)


def _sync_directory(path: Path) -> None:
    # Windows opens no directories; there the rename itself is as durable as it gets.
    with suppress(PermissionError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
