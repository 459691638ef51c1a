"""Key sets of issuers, who holds them, and purses on their way to one."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.adapters.tables.key_sets import KeyChangeRow, KeySetHolderRow, KeySetRow


class KeySets:
    """What the tills were told, and how far the cards are."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, municipality_id: int, number: int) -> KeySetRow | None:
        """A key set after an issuer's first one."""
        return self._session.get(KeySetRow, (municipality_id, number))

    def all(self) -> Sequence[KeySetRow]:
        """Every key set after the first ones, by municipality and number."""
        order = (KeySetRow.municipality_id, KeySetRow.number)
        return self._session.scalars(select(KeySetRow).order_by(*order)).all()

    def of(self, municipality_id: int) -> Sequence[KeySetRow]:
        """Those of one municipality."""
        return [row for row in self.all() if row.municipality_id == municipality_id]

    def holders(self, municipality_id: int, number: int) -> frozenset[int]:
        """Terminals that said that they hold a key set."""
        found = self._session.scalars(
            select(KeySetHolderRow.terminal).where(
                KeySetHolderRow.municipality_id == municipality_id,
                KeySetHolderRow.number == number,
            )
        )
        return frozenset(found)

    def open_change(self, purse_id: int) -> KeyChangeRow | None:
        """The change that a purse is in the middle of."""
        return self._session.scalar(
            select(KeyChangeRow).where(
                KeyChangeRow.purse_id == purse_id, KeyChangeRow.done_at.is_(None)
            )
        )
