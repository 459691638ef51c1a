"""What an export calls things: a purse, a pot of money, a document."""

from typing import Any, TypeAlias

from backend.adapters.repositories.verdicts import Posted
from backend.adapters.tables.verdicts import PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.verdicts import record_name
from cardlib.wire.ids import PurseId

Row: TypeAlias = dict[str, Any]
"""One line of a file."""


class Naming:
    """The unit of work that rows are read in, and the names of what is in it."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.programmes = {row.id: row.number for row in unit.programmes.programmes()}
        self.purses = {row.id: row for row in unit.cards.purses()}
        self.terminals = [row for row in unit.terminals.all() if not row.training]
        self._issuers = {town.id: town.issuer for town in unit.programmes.municipalities()}

    def purse(self, purse_id: int) -> Row:
        """A purse by its issuer and number."""
        purse = self._id(purse_id)
        return {"issuer": purse.issuer.hex(), "purse": purse.number.hex()}

    def pot(self, programme_id: int, funding_source_id: int) -> Row:
        """Whose money it is."""
        programme = self.unit.programmes.programme(programme_id)
        return {
            "municipality": programme.municipality_id, "programme": programme.number,
            "funding_source": funding_source_id,
        }  # fmt: skip

    def document(self, posting: PostingRow | Posted) -> str:
        """``T:S`` of its entry, or ``issuer:purse:ctr:hash`` of a record without one."""
        if posting.closing_seq is not None:
            return f"{posting.terminal}:{posting.closing_seq}"
        return record_name(self._id(posting.purse_id), posting.ctr, posting.record_hash)

    def _id(self, purse_id: int) -> PurseId:
        row = self.purses[purse_id]
        return PurseId(self._issuers[row.municipality_id], row.number)
