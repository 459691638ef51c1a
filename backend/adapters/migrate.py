"""Brings a database to the newest schema; Alembic runs what is in ``migrations``."""

from collections.abc import Generator
from contextlib import contextmanager
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from backend.adapters.engine import for_reading
from backend.errors import ConflictError


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    return config


def migrate(engine: Engine, to: str = "head") -> str:
    """Runs what is missing up to revision ``to``, in one transaction; the revision now.

    Nobody writes meanwhile. ConflictError ``SCHEMA_DANGLING`` when rows would refer to
    nothing afterwards; then nothing is changed.
    """
    config = _config()
    with engine.connect() as connection, _copying_tables(connection), connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        _require_whole(connection)
    return schema_revision(engine) or ""


@contextmanager
def _copying_tables(connection: Connection) -> Generator[None]:
    """SQLite changes a table by copying it, and would take the old one's rows for deleted.

    Foreign keys cannot be switched inside a transaction: before it, and after it.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.cursor()
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")
        driver.close()


def _require_whole(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if dangling is not None:
            raise ConflictError("SCHEMA_DANGLING", table=str(dangling[0]))


def schema_revision(engine: Engine) -> str | None:
    """The revision the database is at, or None before the first migration."""
    with for_reading(engine).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    """The revision that this version of the code needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def require_current(engine: Engine) -> None:
    """ConflictError ``SCHEMA_OLD`` unless the database is at the newest revision."""
    if schema_revision(engine) != newest_revision():
        raise ConflictError("SCHEMA_OLD")
