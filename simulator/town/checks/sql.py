"""Questions to the backend's database in plain SQL, beside the product's own mapping."""

import sqlite3
from typing import Any

from sqlalchemy import Engine

Row = tuple[Any, ...]


class Sql:
    """Reads one SQLite database between the transactions of others."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._proxy = engine.raw_connection()
        connection = self._proxy.driver_connection
        assert isinstance(connection, sqlite3.Connection), "the town lives on SQLite"
        self._connection = connection

    def ask(self, query: str, *bindings: object) -> list[Row]:
        """All rows of a query."""
        return self._connection.execute(query, bindings).fetchall()

    def one(self, query: str, *bindings: object) -> Row:
        """The only row of a query that has one."""
        (row,) = self.ask(query, *bindings)
        return row

    def version(self) -> tuple[int, int]:
        """Another value once anybody has committed something."""
        return self._connection.total_changes, self.one("PRAGMA data_version")[0]

    def close(self) -> None:
        """Gives the connection back."""
        self._proxy.close()
