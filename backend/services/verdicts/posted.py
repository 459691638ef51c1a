"""A posting as it is stored: its void, its name in the books, where its money lies."""

from collections.abc import Mapping

from backend.adapters.repositories.verdicts import Posted
from backend.adapters.tables.verdicts import PostingPartRow, PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.ledger import Ref, RefKind
from backend.domain.positions import Place
from backend.domain.verdicts import record_name
from cardlib.wire.ids import PurseId

Positions = dict[int, dict[Place, int]]
"""A position for each slot."""


def void_above(unit: Unit, sale: PostingRow) -> PostingRow | None:
    """The live void that the card has directly above a sale."""
    above = sale.ctr + 1
    rows = unit.verdicts.postings(sale.purse_id, above)
    return next((row for row in rows if row.live and row.is_void and row.ctr == above), None)


def positions_of(unit: Unit, posting: PostingRow) -> Positions:
    """Where its money lies, by slot."""
    positions: Positions = {}
    for part in posting.parts:
        place = unit.ledger.account(part.origin_id), unit.ledger.account(part.holder_id)
        positions.setdefault(part.slot, {})[place] = part.cents
    return positions


def keep_parts(unit: Unit, posting: PostingRow, held: Mapping[tuple[int, int, int], int]) -> None:
    """Replaces what is kept of where its money lies.

    ``held``: cents by slot, and by the row ids of the accounts that they came from and lie in.
    """
    if posting.parts:
        posting.parts = []
        unit.flush()  # their places are free for new rows
    posting.parts = [
        PostingPartRow(slot=slot, origin_id=origin, holder_id=holder, cents=cents)
        for (slot, origin, holder), cents in held.items()
        if cents
    ]


def document_of(unit: Unit, posting: PostingRow) -> Ref:
    """What transfers of a posting name: its entry, or its record while that has none."""
    if posting.closing_seq is not None:
        return Ref(RefKind.ENTRY, entry_of(posting))
    row = unit.cards.purse_by_id(posting.purse_id)
    purse = PurseId(row.municipality.issuer, row.number)
    return Ref(RefKind.RECORD, record_name(purse, posting.ctr, posting.record_hash))


def entry_of(posting: PostingRow | Posted) -> str:
    """The journal entry behind a posting, ``terminal:seq``."""
    return f"{posting.terminal}:{posting.closing_seq or posting.intent_seq}"
