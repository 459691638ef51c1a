"""Files that outlive a crash and a power cut: replaced whole, or synced where others wrote.

What differs between operating systems is here: a directory can be synced on POSIX systems
only. On Windows the rename is as durable as the file system makes it.
"""

import os
from contextlib import suppress
from pathlib import Path

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)

_CHANGE = os.O_RDWR | getattr(os, "O_BINARY", 0)  # Windows syncs only what it may write


def replace_file(path: Path, content: bytes, *, private: bool = False) -> None:
    """Writes and syncs a file beside the old one, moves it there, syncs the directory.

    ``private``: only this user may read it. OSError, and nothing is left behind.
    """
    scratch = path.with_name(path.name + ".new")
    try:
        _write_synced(scratch, content, 0o600 if private else 0o666)
        scratch.replace(path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def sync_file(path: Path) -> None:
    """What any process wrote to a file, and its name; nothing when there is none. OSError."""
    try:
        descriptor = os.open(path, _CHANGE)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    _sync_directory(path.parent)


def _write_synced(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, _CREATE, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_directory(path: Path) -> None:
    with suppress(PermissionError):  # Windows opens no directories
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
