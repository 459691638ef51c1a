"""The journal's signed, durable entries against bare one-row commits of the same engine."""

from collections.abc import Iterator
from pathlib import Path

import apsw

from cardlib.wire.entry_body import Declined
from tests.bench.measure import Figure, paired, rate
from tests.integration.terminal.stage import Stage

ENTRIES = 300
RATIO_MIN = 0.6
ROW_BYTES = 300


def figures(folder: Path) -> Iterator[Figure]:
    """Ratio of entries to bare commits."""
    stage = Stage(folder)
    try:
        yield _figure(stage, folder)
    finally:
        stage.open_tills.close()


def _figure(stage: Stage, folder: Path) -> Figure:
    journal = stage.till().journal
    bare = _bare(folder / "bare.db")
    row = bytes(ROW_BYTES)

    def append() -> None:
        journal.append(Declined(code="CARD_MAC_BAD"))

    def insert() -> None:
        bare.execute("BEGIN IMMEDIATE")
        bare.execute("INSERT INTO entry(complete) VALUES (?)", (row,))
        bare.execute("COMMIT")

    ours, theirs, ratio = paired(lambda: rate(append, ENTRIES), lambda: rate(insert, ENTRIES))
    return Figure(
        "journal: signed durable entries against bare durable commits",
        f"{ours:.0f}/s against {theirs:.0f}/s: {ratio:.2f}",
        f">= {RATIO_MIN}",
        ratio >= RATIO_MIN,
    )


def _bare(path: Path) -> apsw.Connection:
    """The same mode: encrypted, WAL, FULL."""
    connection = apsw.Connection(str(path))
    connection.pragma("hexkey", bytes(32).hex())
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    connection.execute("CREATE TABLE entry(seq INTEGER PRIMARY KEY, complete BLOB)")
    return connection
