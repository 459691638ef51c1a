import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from backend.adapters.migrate import migrate, newest_revision, require_current, schema_revision
from backend.adapters.tables.everything import metadata
from backend.errors import ConflictError
from tests.databases import Databases
from tests.integration.backend.books import check_export, check_laws, held
from tests.integration.backend.lived_in import lived_in
from tests.integration.backend.old_databases import Rows, kept, put, revisions, rows_of

EVERY_CASE = True
CARD_SESSIONS = {"card_session", "card_session_step", "key_change", "stock_card"}
"""Put into older databases by tests/integration/card_sessions/test_upgrades.py."""
PASSING = {"nonce", "terminal_readmission"}
"""Forgotten within minutes; made when a restored copy has forgotten a terminal."""


def assert_as_the_tables_say(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrated_schema_is_what_the_tables_say(engine: Engine) -> None:
    assert_as_the_tables_say(engine)


def checks(engine: Engine) -> dict[str, dict[str, str]]:
    """What each table refuses to hold, by the name of the check."""
    with engine.connect() as connection:
        found = inspect(connection)
        return {
            name: {
                str(check["name"]): check["sqltext"] for check in found.get_check_constraints(name)
            }
            for name in metadata.tables
        }


def test_a_database_that_was_migrated_refuses_what_a_new_one_refuses(databases: Databases) -> None:
    """Alembic compares no checks, and copies a table of SQLite to change it."""
    migrated, made = checks(databases.fresh()), databases.empty()
    metadata.create_all(made)
    assert checks(made) == migrated
    assert migrated["entry"].keys() == {"ck_entry_verdict"}


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    assert schema_revision(engine) == newest_revision() == migrate(engine)


def test_a_database_that_was_not_migrated_is_refused(databases: Databases) -> None:
    with pytest.raises(ConflictError, match="SCHEMA_OLD"):
        require_current(databases.empty())


def same(one: Rows, other: Rows) -> bool:
    return {name: sorted(map(repr, rows)) for name, rows in one.items()} == {
        name: sorted(map(repr, rows)) for name, rows in other.items()
    }


def approvals(rows: Rows) -> set[tuple[object, object]]:
    """Who approved which batch."""
    return {(row["batch_id"], row["person"]) for row in rows["batch_approval"]}


@pytest.mark.parametrize("revision", revisions()[:-1])
def test_what_is_in_an_older_database_is_there_afterwards_and_used(
    databases: Databases, revision: str
) -> None:
    life = lived_in(databases.fresh(), revision, revisions())
    town, rows = life.town, rows_of(databases.engine)
    money = held(town)

    engine = databases.empty()
    assert migrate(engine, revision) == revision
    old = put(engine, rows)
    with pytest.raises(ConflictError, match="SCHEMA_OLD"):
        require_current(engine)
    assert migrate(engine) == newest_revision()

    assert_as_the_tables_say(engine)
    assert same(kept(engine, old), old)
    assert approvals(rows_of(engine)) == approvals(rows) != set()
    assert held(town) == money
    life.till.sell(life.chip, 250)
    life.sync()
    check_laws(town)
    check_export(town)


def test_an_older_database_was_lived_in(databases: Databases) -> None:
    """The test above has something in every table but these."""
    lived_in(databases.fresh(), revisions()[-1], revisions())
    empty = {name for name, rows in rows_of(databases.engine).items() if not rows}
    assert empty == CARD_SESSIONS | PASSING


def test_foreign_keys_hold_again_after_a_migration(engine: Engine) -> None:
    migrate(engine)
    question = "INSERT INTO issuer_key VALUES (99, 1, '', 0)"
    with engine.connect() as connection, pytest.raises(Exception, match=r"(?i)foreign key"):
        connection.execute(text(question))
