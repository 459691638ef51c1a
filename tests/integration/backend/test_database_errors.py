"""What a database cannot do is told with a code, and what was begun is not half done."""

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text

from backend.adapters.engine import connect_arguments, open_engine, sqlite_url
from backend.adapters.migrate import migrate
from backend.adapters.unit_of_work import DatabaseWork
from backend.config import Settings
from backend.errors import BadInputError, DatabaseError
from tests import postgres_cluster
from tests.integration.backend.books import check_laws, payable
from tests.integration.backend.builders import Town
from tests.postgres_cluster import Cluster

postgres = pytest.mark.postgres
KILLED_ONLY = postgres_cluster.CARELESS | {"synchronous_commit": "on"}
"""The machine goes on: what was handed to it is not lost."""


def code_of(url: str) -> str:
    """What the first use of a database is refused with."""
    engine = open_engine(url)
    try:
        with pytest.raises(DatabaseError) as refused, DatabaseWork(engine).begin() as unit:
            unit.ledger.head()
    finally:
        engine.dispose()
    assert refused.value.facts["why"]
    return refused.value.code


@postgres
def test_who_is_not_let_in_is_told(cluster: Cluster) -> None:
    cluster.do("DROP ROLE IF EXISTS till", "CREATE ROLE till PASSWORD 'right'")
    rules = cluster.directory / "data" / "pg_hba.conf"
    before = rules.read_text("utf-8")
    rules.write_text(f"local all till scram-sha-256\n{before}", "utf-8")
    cluster.process.send_signal(signal.SIGHUP)
    cluster.do("SELECT pg_reload_conf()", "SELECT pg_sleep(0.1)")

    assert code_of(cluster.url("nowhere")) == "DATABASE_REFUSED"
    assert code_of(cluster.url("postgres", "nobody")) == "DATABASE_REFUSED"
    assert code_of(cluster.url("postgres", "till", "wrong")) == "DATABASE_REFUSED"

    rules.write_text(before, "utf-8")
    cluster.do("SELECT pg_reload_conf()")


@postgres
def test_a_password_is_never_told(cluster: Cluster) -> None:
    engine = open_engine(cluster.url("nowhere", "borsellino", "tell-nobody"))
    with pytest.raises(DatabaseError) as refused, DatabaseWork(engine).begin() as unit:
        unit.ledger.head()
    engine.dispose()
    assert "tell-nobody" not in str(refused.value.facts)


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://borsellino@/borsellino?host={tmp_path}"
    assert code_of(url) == "DATABASE_UNREACHABLE"


@pytest.mark.parametrize(
    ("address", "mode"),
    [
        ("postgresql+psycopg://b@db.example.org/b", "verify-full"),
        ("postgresql+psycopg://b@/b?host=db.example.org:5432", "verify-full"),
        ("postgresql+psycopg://b@db.example.org/b?sslmode=require", None),
        ("postgresql+psycopg://b@/b?host=/run/postgresql", None),
        ("postgresql+psycopg://b@localhost/b", None),
    ],
)
def test_over_a_network_the_books_travel_encrypted(address: str, mode: str | None) -> None:
    assert connect_arguments(make_url(address)).get("sslmode") == mode


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "backend.sqlite"
    path.write_bytes(b"these are not the books" * 100)
    assert code_of(sqlite_url(path)) == "DATABASE_DAMAGED"


def test_a_file_in_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert code_of(sqlite_url(tmp_path / "gone" / "backend.sqlite")) == "DATABASE_UNREACHABLE"


def test_an_address_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="DATABASE_URL_BAD"):
        assert Settings(tmp_path, database="mysql://books").database_url


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    with postgres_cluster.cluster(KILLED_ONLY) as running:
        yield running


@postgres
def test_a_server_killed_between_and_within_units_loses_nothing(own_cluster: Cluster) -> None:
    own_cluster.do("CREATE DATABASE books")
    engine = open_engine(own_cluster.url("books"))
    migrate(engine)
    town = Town(engine)
    chip, till = town.chip_with(5000), town.till()
    till.sell(chip, 700)
    till.sync()

    with town.work.begin() as unit:
        unit.ledger.head()
        own_cluster.stop(signal.SIGQUIT)
        with pytest.raises(DatabaseError, match="DATABASE_LOST"):
            unit.terminals.all()
    till.sell(chip, 300)
    with pytest.raises(DatabaseError, match="DATABASE_UNREACHABLE"):
        till.sync()
    again = postgres_cluster.start(own_cluster.directory, KILLED_ONLY)
    try:
        till.upload(*till.journal)
        assert payable(town, town.shop) == 1000
        check_laws(town)
        engine.dispose()
    finally:
        again.stop()


def test_a_reader_does_not_write(engine: Engine) -> None:
    work = DatabaseWork(engine)
    with work.read() as unit, pytest.raises(DatabaseError, match="DATABASE_READ_ONLY"):
        unit.ledger._session.execute(text("DELETE FROM merchant"))


@postgres
def test_who_reads_does_not_wait_for_who_writes(cluster: Cluster) -> None:
    cluster.do("DROP DATABASE IF EXISTS readers", "CREATE DATABASE readers")
    engine = open_engine(cluster.url("readers"))
    migrate(engine)
    work = DatabaseWork(engine)
    with work.begin() as writing, work.read() as reading:
        assert writing.ledger.head() == reading.ledger.head()
    engine.dispose()


def test_a_writer_that_waits_too_long_is_told(tmp_path: Path) -> None:
    path = tmp_path / "backend.sqlite"
    migrate(engine := open_engine(sqlite_url(path)))
    engine.dispose()
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with engine.connect() as connection:
            connection.connection.cursor().execute("PRAGMA busy_timeout = 1").close()
            with pytest.raises(DatabaseError, match="DATABASE_BUSY"):
                connection.execute(text("SELECT 1"))
    engine.dispose()


@postgres
def test_a_writer_that_waits_too_long_for_another_is_told(cluster: Cluster) -> None:
    url = f"{cluster.url('postgres')}&options=-c%20lock_timeout%3D50"
    engine = open_engine(url)
    work = DatabaseWork(engine)
    with work.begin() as first:
        first.flush()
        first._session.connection()
        with pytest.raises(DatabaseError, match="DATABASE_BUSY"), work.begin() as second:
            second._session.connection()
    engine.dispose()
