"""The ledger, and the cases that its money waits in."""

from collections.abc import Iterator

from backend.adapters.tables.verdicts import CaseRow
from backend.domain.ledger import PRESENT_KINDS, AccountKind
from backend.services.export.naming import Naming, Row

_CHUNK = 1000


def accounts(naming: Naming) -> Iterator[Row]:
    """The accounts by their codes."""
    for row in naming.unit.ledger.rows():
        on_card = row.kind in PRESENT_KINDS and row.purse_id is not None
        nowhere = {"issuer": None, "purse": None}
        yield (naming.purse(row.purse_id) if on_card and row.purse_id else nowhere) | {
            "account": row.code, "kind": row.kind, "municipality": row.municipality_id,
            "programme": naming.programmes.get(row.programme_id or 0, 0),
            "funding_source": row.funding_source_id or 0,
            "slot": row.slot if on_card else None, "merchant": row.merchant_id,
            "case": row.case_id,
        }  # fmt: skip


def transfers(naming: Naming) -> Iterator[Row]:
    """The chain of transfers, a part at a time."""
    codes = {row.id: row.code for row in naming.unit.ledger.rows()}
    last = 0
    while rows := naming.unit.ledger.transfers(last, _CHUNK):
        for row in rows:
            yield {
                "id": row.id, "kind": row.kind, "from": codes[row.source_id],
                "to": codes[row.target_id], "amount_cents": row.cents,
                "event_time": row.event_time, "booked_at": row.booked_at,
                "ref": {"kind": row.ref_kind, "id": row.ref_id},
                "prev_hash": row.prev_hash.hex(), "hash": row.hash.hex(),
            }  # fmt: skip
        last = rows[-1].id


def cases(naming: Naming) -> Iterator[Row]:
    """What waits for people, and what they decided."""
    waiting: dict[int | None, int] = {}
    for account in naming.unit.ledger.rows():
        if account.kind == AccountKind.SUSPENSE:
            held = waiting.get(account.case_id, 0)
            waiting[account.case_id] = held + account.balance_cents
    for row in naming.unit.verdicts.cases():
        yield {
            "case": row.id, "kind": row.code, "entry": row.entry_ref,
            "amount_cents": waiting.get(row.id, 0), "state": row.state,
            "decision": row.decision, "decided_by": row.decided_by,
            "decided_at": row.decided_at, "approved_by": row.approved_by, "act": row.act,
            "document": _document_of_case(naming, row),
        }  # fmt: skip


def _document_of_case(naming: Naming, case: CaseRow) -> str | None:
    """The entry or record whose money the case holds, or held."""
    posting = None if case.purse_id is None else naming.unit.acts.posting_of_case(case)
    return None if posting is None else naming.document(posting)
