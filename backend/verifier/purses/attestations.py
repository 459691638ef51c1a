"""Records that a card returned under the key that only the backend shares.

An outsider cannot check that MAC: K_TC is symmetric. What can be checked is that
a row is consistent in itself and that a signed journal entry says the same.
"""

import json

from backend.verifier.decoder import entries
from backend.verifier.export.reader import Export, Row
from backend.verifier.findings import Findings, Law
from backend.verifier.registry import TRAINING_ISSUER, Registry
from backend.verifier.workbook import Workbook


def read_attestations(
    export: Export, registry: Registry, book: Workbook, findings: Findings
) -> None:
    """Reads attestations.jsonl after the journals were walked."""
    for row in export.rows("attestations.jsonl"):
        if row["issuer"] == TRAINING_ISSUER:
            findings.trust("TRAINING_EXCLUDED")
            continue
        code = _fault(row, registry, book)
        if code is not None:
            label = f"{row['issuer'].hex()}-{row['purse'].hex()}:{row['ctr']}"
            findings.add(Law.CONSERVATION, code, row.place(label), purse=label, ctr=row["ctr"])
            continue
        findings.trust("ATTESTED_" + row["source"].upper())
        book.note(
            "attested", row["issuer"], row["purse"], row["ctr"], row["record_hash"],
            entries.record_intent(row["record"]), json.dumps(row["totals"]), row.line,
        )  # fmt: skip


def _fault(row: Row, registry: Registry, book: Workbook) -> str | None:
    record = row["record"]
    if (row["issuer"], row["purse"]) not in registry.purses:
        return "ATTESTED_PURSE_UNKNOWN"
    if entries.digest(record) != row["record_hash"] or entries.record_ctr(record) != row["ctr"]:
        return "ATTESTED_RECORD_OTHER"
    if row["ctr"] == 0 and any(row["totals"] or ()):
        return "ATTESTED_TOTALS_OTHER"
    if row["source"] == "card_session":
        return None
    terminal, _, seq = (row["source_ref"] or "").partition(":")
    known = terminal.isdecimal() and book.ask(
        "SELECT 1 FROM read_with_tc WHERE terminal = ? AND seq = ? AND record_hash = ?",
        (terminal, seq, row["record_hash"]),
    )
    return None if known else "ATTESTED_WITHOUT_ENTRY"
