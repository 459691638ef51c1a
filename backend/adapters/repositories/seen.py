"""What a unit of work has already looked at, so that it asks the database once.

Nobody else writes while a unit does (ADR 19), so what was found, or not found, stays true
until the unit itself adds a row; :class:`backend.adapters.unit_of_work.Unit` tells of those.
So a look need not wait for what the unit has changed: nothing is sent because of it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

K = TypeVar("K")
R = TypeVar("R")


class Seen(Generic[K, R]):
    """Rows of one table by a unique key; None: there is none."""

    def __init__(self, session: Session, key_of: Callable[[R], K]) -> None:
        self._session = session
        self._key_of = key_of
        self._rows: dict[K, R | None] = {}

    def find(self, key: K, load: Callable[[], R | None]) -> R | None:
        """The row of ``key``; ``load`` asks the database, at most once a key."""
        if key not in self._rows:
            with self._session.no_autoflush:
                self._rows[key] = load()
        return self._rows[key]

    def fetch(self, keys: Iterable[K], load: Callable[[list[K]], Iterable[R]]) -> list[R]:
        """Asks for all ``keys`` that were not looked up yet, in one go; what was found."""
        missing = [key for key in dict.fromkeys(keys) if key not in self._rows]
        if not missing:
            return []
        self._rows.update(dict.fromkeys(missing))
        with self._session.no_autoflush:
            found = list(load(missing))
        for row in found:
            self.note(row)
        return found

    def forget_missing(self) -> None:
        """A row was added whose key cannot be told yet: what was not found may be there now."""
        self._rows = {key: row for key, row in self._rows.items() if row is not None}

    def rows(self) -> Iterator[R]:
        """Those that are at hand."""
        return (row for row in self._rows.values() if row is not None)

    def note(self, row: R) -> None:
        """``row`` is there now."""
        self._rows[self._key_of(row)] = row
