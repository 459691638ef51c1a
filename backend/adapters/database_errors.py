"""What a database cannot do, as errors with a code of ours.

One place for both databases: SQLAlchemy hands every error of a driver to :func:`translate`.
What the caller began is rolled back, or it is not known whether it was committed; in both
cases the same may be asked again. An IntegrityError stays what it is: our own bug.
"""

import sqlite3
from collections.abc import Mapping

from sqlalchemy import Engine
from sqlalchemy.engine import ExceptionContext

from backend.errors import DatabaseError

SQLSTATES: Mapping[str, str] = {
    "08": "DATABASE_LOST",  # connection exception
    "25006": "DATABASE_READ_ONLY",
    "25P03": "DATABASE_BUSY",  # we were silent for too long inside a transaction
    "40": "DATABASE_BUSY",  # deadlock or serialization: only others' locks can cause it
    "42501": "DATABASE_FORBIDDEN",
    "53100": "DATABASE_FULL",
    "53200": "DATABASE_FULL",  # out of memory
    "53300": "DATABASE_REFUSED",  # too many connections
    "55P03": "DATABASE_BUSY",
    "57014": "DATABASE_BUSY",  # somebody cancelled it
    "57P": "DATABASE_LOST",  # the server ends, or is just starting
    "XX001": "DATABASE_DAMAGED",
    "XX002": "DATABASE_DAMAGED",
}
"""PostgreSQL, appendix A: whole states, or how they begin; the longest that fits counts."""

SQLITE_CODES: Mapping[int, str] = {
    sqlite3.SQLITE_BUSY: "DATABASE_BUSY",
    sqlite3.SQLITE_LOCKED: "DATABASE_BUSY",
    sqlite3.SQLITE_FULL: "DATABASE_FULL",
    sqlite3.SQLITE_READONLY: "DATABASE_READ_ONLY",
    sqlite3.SQLITE_CANTOPEN: "DATABASE_UNREACHABLE",
    sqlite3.SQLITE_IOERR: "DATABASE_LOST",
    sqlite3.SQLITE_CORRUPT: "DATABASE_DAMAGED",
    sqlite3.SQLITE_NOTADB: "DATABASE_DAMAGED",
}
"""Primary result codes of SQLite."""


def translate(context: ExceptionContext) -> None:
    """Raises DatabaseError in the place of what the driver said, where there is one."""
    error = context.original_exception
    code = _code_of(error, context)
    if code:
        raise DatabaseError(code, why=_first_line(error)) from context.sqlalchemy_exception


def _code_of(error: BaseException, context: ExceptionContext) -> str:
    if isinstance(error, sqlite3.Error):
        return SQLITE_CODES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "")
    state = getattr(error, "sqlstate", None)
    if state is not None:
        fitting = [key for key in SQLSTATES if state.startswith(key)]
        return SQLSTATES[max(fitting, key=len)] if fitting else ""
    if context.connection is None and context.engine is not None:
        return _why_not_connected(error, context.engine)
    return "DATABASE_LOST" if context.is_disconnect else ""


def _why_not_connected(error: BaseException, engine: Engine) -> str:
    """A server's refusal has no state, and words in its own language: ask whether it is there."""
    if engine.dialect.name != "postgresql":
        return ""
    from psycopg import OperationalError, conninfo, pq  # noqa: PLC0415 - an extra

    if not isinstance(error, OperationalError):
        return ""
    line = conninfo.make_conninfo(**_address(engine), connect_timeout=3)
    answers = pq.PGconn.ping(line.encode()) == pq.Ping.OK
    return "DATABASE_REFUSED" if answers else "DATABASE_UNREACHABLE"


def _address(engine: Engine) -> dict[str, str]:
    _, arguments = engine.dialect.create_connect_args(engine.url)
    kept = ("host", "port", "dbname", "user", "sslmode", "sslrootcert")
    return {name: str(arguments[name]) for name in kept if name in arguments}


def _first_line(error: BaseException) -> str:
    """What the database said; no parameters, no password."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
