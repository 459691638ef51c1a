"""Databases for tests: a fresh one for each, of both kinds, behind one engine.

An engine remembers how statements are compiled, so all tests of a process share one and only
what lies behind it is exchanged. Nothing here waits for a disk: nobody cuts the power.
"""

import os
import shutil
from collections.abc import Generator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Protocol

import psycopg
import pytest
from sqlalchemy import Dialect, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from backend.adapters.engine import open_engine, sqlite_url
from backend.adapters.migrate import migrate
from tests import postgres_cluster
from tests.cases import evenly
from tests.postgres_cluster import Cluster

ALL = "BORSELLINO_ALL_POSTGRES"
"""Set, it runs every case of every test on PostgreSQL, too."""
CASES_MAX = 2
KINDS = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))


class Databases(Protocol):
    """Makes, keeps and puts back databases; ``engine`` is always on the current one."""

    engine: Engine

    @property
    def url(self) -> str:
        """The address of the current one."""
        ...

    def empty(self) -> Engine:
        """A new one without any table."""
        ...

    def fresh(self) -> Engine:
        """A new one at the newest revision, with nothing in it."""
        ...

    def keep(self) -> str:
        """Notes the current one as it is; what ``restore`` takes."""
        ...

    def restore(self, kept: str) -> Engine:
        """A copy of one that was kept."""
        ...

    def close(self) -> None:
        """No more tests."""
        ...


class SqliteDatabases:
    """Files in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._numbers = count(1)
        self._path = directory / "current.sqlite"
        self._newest = ""
        self.engine = open_engine(sqlite_url(self._path))
        event.listen(self.engine, "connect", _hurry)

    @property
    def url(self) -> str:
        return sqlite_url(self._path)

    def empty(self) -> Engine:
        self.engine.dispose()
        self._path.unlink(missing_ok=True)
        return self.engine

    def fresh(self) -> Engine:
        if self._newest:
            return self.restore(self._newest)
        migrate(self.empty())
        self._newest = self.keep()
        return self.engine

    def keep(self) -> str:
        self.engine.dispose()
        kept = self._directory / f"kept-{next(self._numbers)}.sqlite"
        shutil.copy(self._path, kept)
        return str(kept)

    def restore(self, kept: str) -> Engine:
        self.engine.dispose()
        shutil.copy(kept, self._path)
        return self.engine

    def close(self) -> None:
        self.engine.dispose()


class PostgresDatabases:
    """One database of a cluster, whose rows are exchanged.

    Making a database costs hundreds of files each time; a few rows go and come in no time.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._numbers = count(1)
        self._current = "postgres"
        self._rows = cluster.connect(self._current)
        """Kept open: it knows the tables already."""
        self._uses = 0
        self._newest = ""
        """A database at the newest revision, to which nobody connects: it can be copied."""
        self._tables: list[str] = []
        self._kept: dict[str, dict[str, bytes]] = {}
        self.engine = open_engine(cluster.url("postgres"))
        event.listen(self.engine, "do_connect", self._connect_to_current)

    @property
    def url(self) -> str:
        return self._cluster.url(self._current)

    def empty(self) -> Engine:
        return self._copy_of("template0")

    def _copy_of(self, template: str) -> Engine:
        self.engine.dispose()
        self._rows.close()
        self._current, self._uses = f"current_{next(self._numbers)}", 0
        self._cluster.do(f"CREATE DATABASE {self._current} TEMPLATE {template}")
        self._rows = self._cluster.connect(self._current)
        return self.engine

    def fresh(self) -> Engine:
        if not self._newest:
            migrate(self.empty())
            self._tables = _tables(self._cluster, self._current)
            self._newest = self._current
        if self._uses % USES_MAX == 0:
            self._copy_of(self._newest)
        self._uses += 1
        with self._rows.transaction():
            self._rows.execute(_wipe(self._tables).encode())
            self._rows.execute(SEQUENCES_TO_LAST.encode())
        return self.engine

    def keep(self) -> str:
        name = f"kept {next(self._numbers)}"
        rows = {table: _copy_out(self._rows, table) for table in self._tables}
        self._kept[name] = {table: data for table, data in rows.items() if data}
        return name

    def restore(self, kept: str) -> Engine:
        if self._uses % USES_MAX == 0:
            self.fresh()
        self._uses += 1
        with self._rows.transaction():
            self._rows.execute(_wipe(self._tables).encode())
            for table, data in self._kept[kept].items():
                with self._rows.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
                    copy.write(data)
            self._rows.execute(SEQUENCES_TO_LAST.encode())
        return self.engine

    def close(self) -> None:
        self._rows.close()
        self.engine.dispose()

    def _connect_to_current(
        self, _dialect: Dialect, _record: object, _arguments: list[str], options: dict[str, object]
    ) -> None:
        options["dbname"] = self._current


USES_MAX = 40
"""After which what was deleted, and lies about still, costs more than a new database."""
_SEQUENCES = """
    SELECT sequence.relname AS sequence, owner.relname AS owner, attribute.attname AS attribute
    FROM pg_class sequence
    JOIN pg_depend ON pg_depend.objid = sequence.oid AND pg_depend.deptype IN ('a', 'i')
    JOIN pg_class owner ON owner.oid = pg_depend.refobjid
    JOIN pg_attribute attribute
      ON attribute.attrelid = owner.oid AND attribute.attnum = pg_depend.refobjsubid
    WHERE sequence.relkind = 'S'
"""
SEQUENCES_TO_LAST = f"""
    DO $$ DECLARE found record; last bigint; BEGIN
        FOR found IN {_SEQUENCES} LOOP
            EXECUTE format('SELECT max(%I) FROM %I', found.attribute, found.owner) INTO last;
            PERFORM setval(found.sequence::regclass, coalesce(last, 1), last IS NOT NULL);
        END LOOP;
    END $$
"""


def _tables(cluster: Cluster, database: str) -> list[str]:
    rows = cluster.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database)
    return sorted(f'"{name}"' for (name,) in rows if name != "alembic_version")


def _wipe(tables: list[str]) -> str:
    """One round trip; what refers to what is not looked at, since all of it goes."""
    deletes = "".join(f"DELETE FROM {table};" for table in tables)
    return f"SET LOCAL lock_timeout = '5s'; SET LOCAL session_replication_role = replica; {deletes}"


def _copy_out(connection: psycopg.Connection[tuple[object, ...]], table: str) -> bytes:
    with connection.cursor().copy(f"COPY {table} TO STDOUT".encode()) as copy:
        return b"".join(bytes(part) for part in copy)


def _hurry(connection: DBAPIConnection, _record: object) -> None:
    connection.cursor().execute("PRAGMA synchronous = OFF")


def superfluous(items: Sequence[pytest.Item], environment: Mapping[str, str]) -> set[pytest.Item]:
    """Cases that need not run on PostgreSQL, too: of each test some do, evenly chosen.

    Where a card is torn at each of its commands, the database is asked the same each time.
    A module that wants every case says ``EVERY_CASE = True``.
    """
    if environment.get(ALL):
        return set()
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if "databases" not in getattr(item, "fixturenames", ()):
            continue
        every = getattr(getattr(item, "module", None), "EVERY_CASE", False)
        if item.get_closest_marker("postgres") and not every:
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    return {
        item for those in cases.values() for item in set(those).difference(evenly(those, CASES_MAX))
    }


def examples(databases: Databases, count: int) -> int:
    """How many of ``count`` drawn examples a database gets: PostgreSQL its share, as of cases."""
    if isinstance(databases, PostgresDatabases) and not os.environ.get(ALL):
        return -(-count // CASES_MAX)
    return count


@pytest.fixture(scope="session")
def cluster() -> Generator[Cluster]:
    """A PostgreSQL of this process's own."""
    with postgres_cluster.cluster() as running:
        yield running


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Generator[Databases]:
    """Files of SQLite."""
    made = SqliteDatabases(tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def on_postgres(cluster: Cluster) -> Generator[Databases]:
    """Databases of one PostgreSQL."""
    made = PostgresDatabases(cluster)
    yield made
    made.close()


@pytest.fixture(scope="session", params=KINDS)
def databases(request: pytest.FixtureRequest) -> Databases:
    """Both kinds of database; a worker goes from one to the other and back, as tests come."""
    made: Databases = request.getfixturevalue(f"on_{request.param}")
    return made


@pytest.fixture
def engine(databases: Databases) -> Engine:
    """A database of this test's own, at the newest revision and empty."""
    return databases.fresh()
