"""A till's directory, the room on its disk, the machine's clock.

Needs no secret, but to check the journal entry by entry.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cardlib.errors import CardlibError
from cardlib.ports import Clock, Randomness
from terminal.doctor.findings import Finding, found, lacking
from terminal.doctor.module import module
from terminal.journal.space import BALLAST_BYTES, HEADROOM_BYTES, Disk
from terminal.system_storage import SYSTEM
from terminal.till import Till
from terminal.till_files import TillFiles

OLDEST = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
"""No till ran this program before: a clock that says so has lost its battery."""
AHEAD_S = 3600


def till(directory: Path, clock: Clock, disk: Disk | None = None) -> Iterator[Finding]:
    """Till, journal, disk and clock, each for itself."""
    files = TillFiles(directory)
    if not files.config.exists():
        yield lacking("till", "TILL_MISSING", directory, path=str(directory))
    else:
        yield _enrolled(files)
        yield from module(files)
        yield _journal(files)
        yield _room(directory, disk or SYSTEM)
    yield clock_of(clock, directory)


def _enrolled(files: TillFiles) -> Finding:
    if not (files.keys.exists() and files.certificate.exists()):
        return lacking("till", "TILL_NOT_ENROLLED", files.directory, path=str(files.directory))
    return found("till", files.directory)


def _journal(files: TillFiles) -> Finding:
    """Whether the journal is there, and this user may write it."""
    journal = files.journal
    if not journal.exists():
        return found("journal", "new")
    for path in (journal, journal.parent):
        if not os.access(path, os.R_OK | os.W_OK):
            return lacking("journal", "JOURNAL_NOT_WRITABLE", path, path=str(path))
    return found("journal", f"{journal.stat().st_size // 1024} KiB")


def _room(directory: Path, disk: Disk) -> Finding:
    free = disk.free_bytes(directory)
    detail = f"{free // 1_000_000} MB"
    if free < BALLAST_BYTES + HEADROOM_BYTES:
        return lacking("disk", "JOURNAL_DISK_FULL", detail, path=str(directory))
    return found("disk", detail)


def entries(directory: Path, passphrase: str, clock: Clock, randomness: Randomness) -> Finding:
    """The journal, entry by entry, beside a till that may be selling."""
    try:
        with Till.load(directory, passphrase, clock, randomness).read_journal() as reader:
            report = reader.check()
    except CardlibError as error:
        return lacking("entries", error.code, **error.facts)
    for defect in report.defects:
        return lacking("entries", defect.code, report.entries, seq=defect.seq)
    return found("entries", report.entries)


def clock_of(clock: Clock, directory: Path | None = None) -> Finding:
    """Whether the clock can be right: after this program was made, and after our own files."""
    now = clock.unix_ms() // 1000
    said = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M UTC")
    newest = max(_written(directory), default=0) if directory else 0
    if now < OLDEST or now + AHEAD_S < newest:
        return lacking("clock", "CLOCK_BEHIND", said)
    return found("clock", said)


def _written(directory: Path) -> Iterator[int]:
    """When the files of the till were last written, Unix seconds."""
    for path in directory.iterdir() if directory.is_dir() else ():
        yield int(path.stat().st_mtime)
