"""Databases as an older version of the service left them, with a town's rows in them.

The rows are a seeded town's of today, put in through the tables of the older revision: what
these do not know yet is left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, insert, select

from backend.adapters.tables.everything import metadata
from tests.databases import SEQUENCES_TO_LAST

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]


def revisions() -> list[str]:
    """Every revision that a database in service may be at, the oldest first."""
    config = Config()
    config.set_main_option("script_location", "migrations")
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][
        ::-1
    ]


def rows_of(engine: Engine) -> Rows:
    """Everything in a database of today, by table."""
    with engine.connect() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in metadata.sorted_tables
        }


def put(engine: Engine, rows: Rows) -> Rows:
    """Puts rows into the tables that there are, as far as these go; what was put in."""
    known = MetaData()
    with engine.begin() as connection:
        known.reflect(connection)
        fitting = {
            table.name: [_fitting(row, table.columns.keys()) for row in rows[table.name]]
            for table in known.sorted_tables
            if rows.get(table.name)
        }
        for table in known.sorted_tables:
            if table.name in fitting:
                connection.execute(insert(table), fitting[table.name])
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(SEQUENCES_TO_LAST.replace("%", "%%"))
    return fitting


def kept(engine: Engine, put_in: Rows) -> Rows:
    """The same columns of the same tables as they are now."""
    now = rows_of(engine)
    return {
        name: [_fitting(row, list(those[0])) for row in now[name]] for name, those in put_in.items()
    }


def _fitting(row: Row, columns: Sequence[str]) -> Row:
    return {name: value for name, value in row.items() if name in columns}
