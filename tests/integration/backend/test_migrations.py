from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine

from backend.adapters.engine import open_engine, sqlite_url
from backend.adapters.migrate import migrate, newest_revision, require_current, schema_revision
from backend.adapters.tables.everything import metadata
from backend.errors import ConflictError


def test_migrated_schema_is_what_the_tables_say(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    assert schema_revision(engine) == newest_revision() == migrate(engine)


def test_a_database_that_was_not_migrated_is_refused(tmp_path: Path) -> None:
    engine = open_engine(sqlite_url(tmp_path / "empty.sqlite"))
    with pytest.raises(ConflictError, match="SCHEMA_OLD"):
        require_current(engine)
    engine.dispose()
