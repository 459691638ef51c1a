"""The database engine: SQLite for one machine, PostgreSQL where more is needed.

SQLite runs with a rollback journal, full synchronisation and an explicit BEGIN
IMMEDIATE: the standard driver's own transaction handling silently loses updates.
"""

import os
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Dialect, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

BUSY_TIMEOUT_MS = 30_000
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
    """An engine on ``url``; connects when it is first used."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "do_connect", _keep_to_owner)
        event.listen(engine, "connect", _prepare_connection)
        event.listen(engine, "begin", _begin_immediate)
    return engine


def _keep_to_owner(
    _dialect: Dialect, _record: object, arguments: list[str], _options: dict[str, object]
) -> None:
    """A new database file is its owner's alone: it holds session seeds for a while."""
    if arguments and arguments[0] and not arguments[0].startswith((":", "file:")):
        os.close(os.open(arguments[0], os.O_WRONLY | os.O_CREAT, 0o600))


def _prepare_connection(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # the driver begins nothing by itself
    for pragma in _PRAGMAS:
        connection.execute(pragma).close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
