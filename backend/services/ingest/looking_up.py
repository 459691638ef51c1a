"""Asks the database once an upload for what its entries will ask for one by one.

Nothing is decided here: what was not foreseen is looked up when it is needed.
"""

from collections.abc import Iterator, Sequence

from backend.adapters.tables.terminals import TerminalRow
from backend.adapters.unit_of_work import Unit
from backend.services.ingest.uploads import Upload
from cardlib.codec.purse import Info
from cardlib.errors import CardlibError
from cardlib.wire.entry_body import Committed, Intent, NotApplied, Proof, Unresolved
from cardlib.wire.ids import PurseId


def look_up(unit: Unit, terminal: TerminalRow, uploads: Sequence[Upload]) -> None:
    """Entries and bytes that are known already, intents, purses, and the records of these."""
    number, high = terminal.number, terminal.high_seq
    closed = {seq for seq in _closed(uploads) if seq <= high}
    seqs = {upload.seq for upload in uploads if 0 < upload.seq <= high} | closed
    unit.journals.fetch_uploaded(number, seqs, {upload.hash for upload in uploads})
    unit.journals.fetch_intents((number, seq) for seq in closed)
    unit.cards.fetch_purses(_purses(uploads))
    intents = [unit.journals.intent(number, seq) for seq in closed]
    unit.cards.fetch_purses_by_id({intent.purse_id for intent in intents if intent is not None})
    records = [(intent.purse_id, intent.ctr) for intent in intents if intent is not None]
    unit.verdicts.fetch_records([*records, *_records(unit, uploads)])


def _closed(uploads: Sequence[Upload]) -> Iterator[int]:
    """Numbers of intents that closing entries and voids name."""
    for upload in uploads:
        match upload.entry.body if upload.entry else None:
            case Committed() | NotApplied() | Unresolved() as closing:
                yield closing.intent_seq
            case Intent(voided=int(seq)):
                yield seq


def _purses(uploads: Sequence[Upload]) -> Iterator[PurseId]:
    for upload in uploads:
        match upload.entry.body if upload.entry else None:
            case Intent() | Proof() as body:
                purse = _purse_of(body.info_core)
                if purse is not None:
                    yield purse


def _records(unit: Unit, uploads: Sequence[Upload]) -> Iterator[tuple[int, int]]:
    """Where the records that the uploaded intents announce would be."""
    for upload in uploads:
        match upload.entry.body if upload.entry else None:
            case Intent() as intent:
                purse = _purse_of(intent.info_core)
                row = unit.cards.find_purse(purse) if purse is not None else None
                if row is not None:
                    yield row.id, intent.plan.ctr


def _purse_of(core: bytes) -> PurseId | None:
    try:
        info = Info.from_core(core)
    except CardlibError:
        return None
    return PurseId(info.issuer, info.purse)
