"""Ingest against bare inserts of the same rows, and what a bundle costs with more purses."""

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from backend.adapters.engine import open_engine, sqlite_url
from backend.adapters.migrate import migrate
from backend.adapters.tables.base import Base
from backend.adapters.tables.cards import PurseRow
from backend.adapters.tables.everything import metadata
from backend.services.terminals.bundles import publish_bundle
from cardlib.wire.upload import Batch
from tests.bench.measure import Figure
from tests.integration.backend.builders import Till, Town

PURSES, TILLS, SALES, BATCH = 40, 10, 400, 50
RATIO_MIN = 0.008
MANY = 1000
BUNDLE_MS_MAX = 250.0
_ROWS = ("entry", "intent", "intent_line", "card_record", "attestation", "posting", "transfer")


def figures(folder: Path) -> Iterator[Figure]:
    """Entries a second, and milliseconds a bundle."""
    engine = _database(folder / "ingest.sqlite")
    town = Town(engine)
    chips = [town.chip_with(5_000) for _ in range(PURSES)]
    tills = [town.till() for _ in range(TILLS)]
    rng = random.Random(1)
    for _ in range(SALES):
        rng.choice(tills).sell(rng.choice(chips), rng.randrange(1, 100))
    yield _against_inserts(town, tills, engine, folder)
    for count in (10, MANY):
        yield _bundle(folder, count)
    engine.dispose()


def _database(path: Path) -> Engine:
    engine = open_engine(sqlite_url(path))
    migrate(engine)
    return engine


def _against_inserts(town: Town, tills: list[Till], engine: Engine, folder: Path) -> Figure:
    entries = sum(len(till.journal) for till in tills)
    start = time.perf_counter()
    for till in tills:
        for at in range(0, len(till.journal), BATCH):
            batch = Batch(till.number, tuple(till.journal[at : at + BATCH]))
            town.ingest.submit(batch, till.number)
    ours = entries / (time.perf_counter() - start)
    bare = entries / _bare_seconds(engine, folder)
    return Figure(
        f"ingest: entries on SQLite in batches of {BATCH}, against bare inserts of their rows",
        f"{ours:.0f}/s against {bare:.0f}/s: {ours / bare:.3f}", f">= {RATIO_MIN}",
        ours / bare >= RATIO_MIN,
    )  # fmt: skip


def _bare_seconds(engine: Engine, folder: Path) -> float:
    """Seconds to insert the same rows into empty tables of the same form, in one transaction."""
    _database(folder / "bare.sqlite").dispose()
    with engine.connect() as connection:
        rows = {name: connection.execute(select(metadata.tables[name])).all() for name in _ROWS}
    with closing(sqlite3.connect(folder / "bare.sqlite")) as bare:  # no foreign keys here
        start = time.perf_counter()
        for name, found in rows.items():
            marks = ", ".join("?" * len(metadata.tables[name].columns))
            bare.executemany(f"INSERT INTO {name} VALUES ({marks})", map(tuple, found))
        bare.commit()
        return time.perf_counter() - start


def _bundle(folder: Path, purses: int) -> Figure:
    engine = _database(folder / f"bundle-{purses}.sqlite")
    town = Town(engine)
    core = town.new_chip().info.core
    with Session(engine) as session:
        session.add_all(_purse(town, core, number) for number in range(purses))
        session.commit()
    with town.work.begin() as unit:
        start = time.perf_counter()
        publish_bundle(unit, town.keys, town.clock.seconds)
        spent = (time.perf_counter() - start) * 1000
    engine.dispose()
    what = f"bundle: published with {purses} purses"
    return Figure(what, f"{spent:.1f} ms", f"<= {BUNDLE_MS_MAX:.0f} ms", spent <= BUNDLE_MS_MAX)


def _purse(town: Town, core: bytes, number: int) -> Base:
    return PurseRow(
        municipality_id=town.municipality, number=number.to_bytes(8, "big"), info_core=core,
        created_at=town.clock.seconds, proven_ctr=1, proven_hash=number.to_bytes(32, "big"),
    )  # fmt: skip
