"""What tills and cards signed: entries with what became of them, attestations."""

from collections.abc import Collection, Iterator
from heapq import merge

from backend.adapters.tables.journals import EntryRow, QuarantineRow
from backend.adapters.tables.verdicts import PostingRow
from backend.domain.ledger import AccountKind
from backend.domain.states import EntryVerdict
from backend.domain.verdicts import PostingState
from backend.services.export.naming import Naming, Row
from cardlib.codec.purse import Spend
from cardlib.wire.entry_header import EntryType

_CLOSING = (EntryType.SALE, EntryType.RECOVERED, EntryType.VOID)


def entries(naming: Naming) -> Iterator[Row]:
    """Every chain, and what is not in one."""
    astray: dict[int, list[QuarantineRow]] = {}
    for kept in naming.unit.journals.quarantine():
        if kept.released_at is None:
            astray.setdefault(kept.terminal, []).append(kept)
    for terminal in naming.terminals:
        loose = map(_quarantined, astray.get(terminal.number, []))
        yield from merge(
            _chained(naming, terminal.number),
            sorted(loose, key=_place_of_entry),
            key=_place_of_entry,
        )


def attestations(naming: Naming) -> Iterator[Row]:
    """The card's own records."""
    for row, clear in naming.unit.verdicts.attestations():
        totals = list(Spend.decode(clear).spent) if clear else None
        yield naming.purse(row.purse_id) | {
            "ctr": row.ctr, "record": row.record.hex(), "record_hash": row.record_hash.hex(),
            "totals": totals, "source": row.source, "source_ref": row.source_ref,
            "index": row.index, "random": row.random.hex(), "tc": row.tc.hex(),
        }  # fmt: skip


def acknowledgements(naming: Naming) -> Iterator[Row]:
    """What the tills were told, as it was signed."""
    live = {row.number for row in naming.terminals}
    for row in naming.unit.journals.acknowledgements():
        if row.terminal in live:
            yield {"terminal": row.terminal, "bytes": row.complete.hex()}


def _chained(naming: Naming, terminal: int) -> Iterator[Row]:
    """The chain of a terminal, a part at a time, each with what its postings need."""
    for rows in naming.unit.journals.entries(terminal):
        postings = naming.unit.verdicts.postings_of_entries(terminal, rows[0].seq, rows[-1].seq)
        decided = naming.unit.verdicts.decided(
            posting.case_id for posting in postings.values() if posting.case_id is not None
        )
        for row in rows:
            yield _entry(naming, row, postings.get(row.seq), decided)


def _entry(
    naming: Naming, row: EntryRow, found: PostingRow | None, decided: Collection[int]
) -> Row:
    accepted = row.verdict == EntryVerdict.ACCEPTED
    posting = row.type in _CLOSING and accepted
    return {
        "terminal": row.terminal, "seq": row.seq, "bytes": row.complete.hex(),
        "verdict": row.verdict, "reason": row.reason or None,
        "received_at": row.received_at,
        "posting": _posting(naming, found, decided) if posting else None,
    }  # fmt: skip


def _posting(naming: Naming, found: PostingRow | None, decided: Collection[int]) -> Row:
    if found is None:
        return {"state": "none", "live": False, "amount_open": False, "claim": "none",
                "reason": None}  # fmt: skip
    return {
        "state": found.state, "live": found.live, "amount_open": found.amount_open,
        "claim": _claim(naming, found, decided), "reason": found.reason or None,
    }  # fmt: skip


def _claim(naming: Naming, posting: PostingRow, decided: Collection[int]) -> str:
    """Where its money lies; an unproven live one is held back unless people decided."""
    if posting.live and posting.state == PostingState.UNPROVEN and posting.case_id not in decided:
        return AccountKind.SUSPENSE
    held = {naming.unit.ledger.account(part.holder_id).kind for part in posting.parts}
    kinds = (AccountKind.SUSPENSE, AccountKind.REFUND_DUE, AccountKind.PAYABLE)
    return next((kind for kind in kinds if kind in held), "none")


def _quarantined(row: QuarantineRow) -> Row:
    return {
        "terminal": row.terminal, "seq": row.seq, "bytes": row.complete.hex(),
        "verdict": EntryVerdict.QUARANTINED, "reason": row.reason, "posting": None,
    }  # fmt: skip


def _place_of_entry(row: Row) -> tuple[bool, int, bool]:
    return row["seq"] is None, row["seq"] or 0, row["verdict"] != EntryVerdict.ACCEPTED
