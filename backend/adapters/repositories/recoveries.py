"""Recoveries of the database from an older copy."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.adapters.tables.recovery import RecoveryRow


class Recoveries:
    """What was put back, and whether everything has come back since. Asked once a unit."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: list[RecoveryRow] | None = None

    def all(self) -> Sequence[RecoveryRow]:
        """Every one, oldest first."""
        return self._session.scalars(select(RecoveryRow).order_by(RecoveryRow.id)).all()

    def newest(self) -> RecoveryRow | None:
        """The last one, open or ended; None where no copy was ever put back."""
        if self._rows is None:
            query = select(RecoveryRow).order_by(RecoveryRow.id.desc()).limit(1)
            self._rows = list(self._session.scalars(query))
        return self._rows[0] if self._rows else None

    def open(self) -> RecoveryRow | None:
        """The one that goes on."""
        newest = self.newest()
        return newest if newest is not None and newest.ended_at is None else None
