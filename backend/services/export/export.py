"""An export, file by file: docs/export-format.md is its law.

Rows are read inside one unit of work, so that they show one state of the books. Stored
bytes and hashes are written as they are stored; nothing is hashed or signed anew.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from backend.adapters.export_files import finish_export, start_export, write_lines
from backend.adapters.unit_of_work import Unit
from backend.services.export import books, decisions, journals, parties, payments
from backend.services.export.naming import Naming, Row
from backend.services.unit_of_work import Work

FILES: Mapping[str, Callable[[Naming], Iterator[Row]]] = {
    "operator.jsonl": parties.operator,
    "issuers.jsonl": parties.issuer_keys,
    "merchants.jsonl": parties.merchants,
    "terminals.jsonl": parties.terminals,
    "purses.jsonl": parties.purses,
    "fundings.jsonl": decisions.fundings,
    "awards.jsonl": decisions.awards,
    "orders.jsonl": decisions.orders,
    "grants.jsonl": decisions.grants,
    "entries.jsonl": journals.entries,
    "attestations.jsonl": journals.attestations,
    "acknowledgements.jsonl": journals.acknowledgements,
    "accounts.jsonl": books.accounts,
    "transfers.jsonl": books.transfers,
    "cases.jsonl": books.cases,
    "statements.jsonl": payments.statements,
    "batches.jsonl": payments.batches,
    "payments.jsonl": payments.payments,
    "returns.jsonl": payments.returns,
    "given_statements.jsonl": payments.given_statements,
}
"""The name of every file, in the order they are written, and what gives its rows."""


def write_export(work: Work, directory: Path, now: int) -> Row:
    """Writes everything into ``directory``, as one state of the books; the manifest."""
    start_export(directory)
    with work.read() as unit:
        naming = Naming(unit)
        files = {
            name: write_lines(directory / name, map(_encode, rows(naming)))
            for name, rows in FILES.items()
        }
        manifest = _manifest(unit, now, files)
    finish_export(directory, manifest)
    return manifest


def _encode(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _manifest(unit: Unit, now: int, files: Mapping[str, Row]) -> Row:
    """The manifest; ``files`` says of each file its ``sha256`` and ``rows``."""
    transfer, digest = unit.ledger.head()
    return {
        "format": 1, "created_at": now, "operator": unit.programmes.operator().name,
        "currency": "EUR", "files": dict(files),
        "ledger_head": {"transfer": transfer, "hash": digest.hex()},
        "recoveries": [
            {
                "recovery": row.id, "begun_at": row.begun_at, "begun_by": row.begun_by,
                "ended_at": row.ended_at, "act": row.act, "without": row.without,
                "requested_by": row.requested_by, "approved_by": row.approved_by,
            }
            for row in unit.recoveries.all()
        ],
    }  # fmt: skip
