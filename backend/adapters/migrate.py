"""Brings a database to the newest schema; Alembic runs what is in ``migrations``."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from backend.errors import ConflictError


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    return config


def migrate(engine: Engine) -> str:
    """Runs what is missing, in one transaction; the revision that the database is at now."""
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return schema_revision(engine) or ""


def schema_revision(engine: Engine) -> str | None:
    """The revision the database is at, or None before the first migration."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    """The revision that this version of the code needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def require_current(engine: Engine) -> None:
    """ConflictError ``SCHEMA_OLD`` unless the database is at the newest revision."""
    if schema_revision(engine) != newest_revision():
        raise ConflictError("SCHEMA_OLD")
