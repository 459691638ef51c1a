"""The disk of the database is full: told with a code, nothing acknowledged, nothing lost."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection

from backend.adapters.engine import open_engine, sqlite_url
from backend.adapters.migrate import migrate
from backend.errors import DatabaseError
from backend.services.exchange.statuses import status_of
from cardlib.wire.upload import Outcome
from tests import postgres_cluster
from tests.integration.backend.books import check_export, check_laws, payable
from tests.integration.backend.builders import Chip, Till, Town
from tests.postgres_cluster import UNPRIVILEGED, Cluster

SALES = 60
"""As many as want more pages than a database has to spare."""


def shop(engine: Engine) -> tuple[Town, Chip, Till]:
    town = Town(engine)
    return town, town.chip_with(SALES * 100), town.till()


def stored(town: Town, till: Till) -> tuple[int, int]:
    """The ledger's head, and how far the till's journal is held."""
    with town.work.read() as unit:
        return unit.ledger.head()[0], unit.terminals.terminal(till.number).high_seq


def nothing_is_acknowledged(town: Town, chip: Chip, till: Till) -> None:
    before = stored(town, till)
    for _ in range(SALES):
        till.sell(chip, 100)
    for _ in range(2):
        with pytest.raises(DatabaseError) as refused:
            till.upload(*till.journal)
        assert refused.value.code == "DATABASE_FULL"
        assert refused.value.facts["why"]
        assert status_of(refused.value) == 503
    assert stored(town, till) == before


def all_is_taken(town: Town, till: Till) -> None:
    answer = till.upload(*till.journal)
    assert {verdict.outcome for verdict in answer.verdicts} == {Outcome.CREATED}
    assert payable(town, town.shop) == SALES * 100
    check_laws(town)
    check_export(town)


def test_a_full_sqlite_file_takes_nothing_and_all_once_there_is_room(tmp_path: Path) -> None:
    engine = open_engine(sqlite_url(tmp_path / "backend.sqlite"))
    migrate(engine)
    town, chip, till = shop(engine)
    engine.dispose()
    event.listen(engine, "connect", _no_more_pages)
    try:
        nothing_is_acknowledged(town, chip, till)
        event.remove(engine, "connect", _no_more_pages)
        engine.dispose()
        all_is_taken(town, till)
    finally:
        engine.dispose()


def _no_more_pages(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA max_page_count = 1")  # it is never set below what there is
    cursor.close()


@pytest.mark.postgres
def test_a_full_tablespace_takes_nothing_and_all_once_there_is_room() -> None:
    """On a cluster of its own: its checkpoints fail as long as the disk is full."""
    place = Path("/tmp") / f"borsellino-full-{os.getpid()}"
    with small_disk(place) as disk, postgres_cluster.cluster() as cluster:
        if disk is not None:
            cluster.do(f"CREATE TABLESPACE small LOCATION '{disk}'")
        where = "" if disk is None else "TABLESPACE small"
        cluster.do(f"CREATE DATABASE full_disk TEMPLATE template0 {where}")
        engine = open_engine(cluster.url("full_disk"))
        try:
            migrate(engine)
            town, chip, till = shop(engine)
            fill(cluster) if disk else pretend(cluster)
            nothing_is_acknowledged(town, chip, till)
            enlarge(disk)
            cluster.do("DROP TABLE filler CASCADE", "CHECKPOINT", database="full_disk")
            cluster.do("DROP FUNCTION IF EXISTS full_disk CASCADE", database="full_disk")
            all_is_taken(town, till)
        finally:
            engine.dispose()
            enlarge(disk)
            cluster.do("DROP DATABASE full_disk WITH (FORCE)")
            cluster.do("DROP TABLESPACE IF EXISTS small")


def fill(cluster: Cluster) -> None:
    """Until not one page more fits."""
    cluster.do(
        "CREATE TABLE filler (bytes text)",
        "ALTER TABLE filler ALTER bytes SET STORAGE PLAIN",  # as long as it is, and a page each
        database="full_disk",
    )
    for size in (800, 100, 10, 1):
        with suppress(psycopg.errors.DiskFull):
            while True:
                cluster.do(
                    f"INSERT INTO filler SELECT repeat('x', 7000) FROM generate_series(1, {size})",
                    database="full_disk",
                )


def enlarge(disk: Path | None) -> None:
    """What an operator does then; dropping a table wants room too."""
    if disk is not None:
        subprocess.run(["mount", "-o", "remount,size=96m", str(disk)], check=True)


def pretend(cluster: Cluster) -> None:
    """Where nobody may make a small disk: the state that PostgreSQL gives of a full one."""
    cluster.do(
        "CREATE TABLE filler (bytes text)",
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$",
        "CREATE TRIGGER full_disk BEFORE INSERT ON transfer EXECUTE FUNCTION full_disk()",
        database="full_disk",
    )


@contextmanager
def small_disk(place: Path) -> Iterator[Path | None]:
    """A file system of its own, or None: only root may make one, and not everywhere."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)]
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(command, capture_output=True, check=False).returncode
    )
    try:
        if mounted:
            user = pwd.getpwnam(UNPRIVILEGED)
            os.chown(place, user.pw_uid, user.pw_gid)
        yield place if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=False)
        place.rmdir()


def test_the_engine_keeps_no_page_to_itself(tmp_path: Path) -> None:
    """What the test above relies on: a limit below what there is becomes what there is."""
    engine = open_engine(sqlite_url(tmp_path / "backend.sqlite"))
    migrate(engine)
    with engine.connect() as connection:
        pages = connection.scalar(text("PRAGMA page_count"))
        assert connection.scalar(text("PRAGMA max_page_count = 1")) == pages
    engine.dispose()
