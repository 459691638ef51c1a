"""The database engine: SQLite for one machine, PostgreSQL where more is needed.

Both have one writer at a time, from its begin to its end (ADR 19). SQLite runs with a
rollback journal, full synchronisation and an explicit BEGIN IMMEDIATE: the standard driver's
own transaction handling silently loses updates. On PostgreSQL a writer first takes an
advisory lock that ends with its transaction.

Readers see one state of the whole database. On PostgreSQL they wait for nobody.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from backend.adapters.database_errors import translate

BUSY_TIMEOUT_MS = 30_000
"""How long a writer waits for the one before it."""
STALLED_TIMEOUT_MS = 120_000
"""After which PostgreSQL ends a transaction whose process says nothing more."""
CONNECT_TIMEOUT_S = 10
CONNECTIONS = 10
"""Open connections that a process keeps; as many again while it is busy."""
WRITER_LOCK = 0x426F_7273
"""The advisory lock of whoever writes; of this database only."""
_READING = "borsellino_reading"
_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
)


def sqlite_url(path: Path) -> str:
    """The address of a SQLite file."""
    return f"sqlite:///{path}"


def open_engine(url: str) -> Engine:
    """An engine on ``url``; connects when it is first used.

    What the database cannot do then is a DatabaseError of ``backend.errors``.
    """
    address = make_url(url)
    engine = _postgres(address) if address.get_backend_name() == "postgresql" else _sqlite(address)
    event.listen(engine, "handle_error", translate)
    return engine


def for_reading(engine: Engine) -> Engine:
    """The same engine for transactions that read one state, write nothing and lock nobody out."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(
            **{_READING: True}, isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
    return engine.execution_options(**{_READING: True})


def _is_reading(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get(_READING))


# --- PostgreSQL ---------------------------------------------------------------------------


def _postgres(address: URL) -> Engine:
    engine = create_engine(
        address,
        connect_args=connect_arguments(address),
        # A writer that waited must see what the one before it wrote: no older snapshot.
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,  # a server that was restarted between two requests goes unnoticed
        pool_size=CONNECTIONS,
        max_overflow=CONNECTIONS,
        hide_parameters=True,  # seeds and signed bytes do not belong into a log
    )
    event.listen(engine, "begin", _take_writer_lock)
    return engine


def connect_arguments(address: URL) -> dict[str, Any]:
    """What a connection is opened with, unless the address says otherwise itself."""
    settings = {
        "lock_timeout": BUSY_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": STALLED_TIMEOUT_MS,
    }
    ours = {
        "application_name": "borsellino",
        "connect_timeout": CONNECT_TIMEOUT_S,
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
    }
    if not _is_local(address):
        ours["sslmode"] = "verify-full"  # never the books in clear over a network
    return {name: value for name, value in ours.items() if name not in address.query}


def _is_local(address: URL) -> bool:
    named = address.query.get("host", address.host or "")
    hosts = named.split(",") if isinstance(named, str) else named
    return all(
        host.startswith("/") or host.split(":")[0] in {"", "localhost", "127.0.0.1"}
        for host in hosts
    )


def _take_writer_lock(connection: Connection) -> None:
    if not _is_reading(connection):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")


# --- SQLite -------------------------------------------------------------------------------


def _sqlite(address: URL) -> Engine:
    engine = create_engine(address, hide_parameters=True)
    event.listen(engine, "do_connect", _keep_to_owner)
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _keep_to_owner(
    _dialect: Dialect, _record: object, arguments: list[str], _options: dict[str, object]
) -> None:
    """A new database file is its owner's alone: it holds session seeds for a while.

    A file that is there is not opened here: closing it again would drop the locks that this
    process holds on it through other connections (POSIX: fcntl, F_SETLK).
    """
    if arguments and arguments[0] and not arguments[0].startswith((":", "file:")):
        with suppress(OSError):  # there already; or SQLite says why not
            os.close(os.open(arguments[0], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _prepare_connection(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # the driver begins nothing by itself
    for pragma in _PRAGMAS:
        connection.execute(pragma).close()


def _begin_immediate(connection: Connection) -> None:
    reading = _is_reading(connection)
    if connection.info.get(_READING) is not reading:  # as the one before it on this connection
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reading else 'OFF'}")
        connection.info[_READING] = reading
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
