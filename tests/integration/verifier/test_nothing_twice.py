"""Law 6: one entry, one live posting, one payment, one outcome."""

import pytest

from backend.verifier.findings import Law
from cardlib.wire.ed25519 import SigningKey
from tests.integration.verifier.conftest import Audited, codes
from tests.integration.verifier.export_builder import Files, Row, build, good
from tests.integration.verifier.journal import Journal


def codes_of(audited: Audited, files: Files) -> set[str]:
    return codes(audited, files, Law.ONCE)


def twin(row: Row) -> Row:
    """Another entry of the same terminal with the same number."""
    journal = Journal(501, SigningKey(bytes([501 % 256]) * 32), b"other")
    return row | {"bytes": journal.heartbeat().complete.hex(), "posting": None}


def test_one_number_with_two_contents(audited: Audited) -> None:
    files = good()
    files["entries.jsonl"].insert(1, twin(files["entries.jsonl"][0]))
    assert "ENTRY_TWICE" in codes_of(audited, files)


def test_one_entry_exported_twice(audited: Audited) -> None:
    files = good()
    files["entries.jsonl"].insert(1, dict(files["entries.jsonl"][0]))
    assert "ENTRY_REPEATED" in codes_of(audited, files)


def test_two_live_postings_on_one_counter(audited: Audited) -> None:
    """Two tills served one card at once; both sales look perfect, one can be live."""
    files = build(fork=True)
    assert codes_of(audited, files) == {"POSTED_TWICE"}
    rivals = [row for row in files["entries.jsonl"] if row["terminal"] == 501 and row["posting"]]
    rivals[1]["posting"] = rivals[1]["posting"] | {"state": "contradicted", "claim": "none"}
    assert codes_of(audited, files) == set()


@pytest.mark.parametrize(
    "name",
    ["payments", "batches", "orders", "grants", "awards", "fundings", "accounts", "terminals"],
)
def test_a_document_that_stands_there_twice(audited: Audited, name: str) -> None:
    files = good()
    rows = files[f"{name}.jsonl"]
    rows.append(dict(rows[0]))
    assert "NUMBER_TWICE" in codes_of(audited, files)


def test_an_outcome_used_for_two_payments(audited: Audited) -> None:
    files = good()
    files["payments.jsonl"][2]["outcome_ref"] = files["payments.jsonl"][0]["outcome_ref"]
    assert "NUMBER_TWICE" in codes_of(audited, files)


def test_an_entry_settled_in_two_batches(audited: Audited) -> None:
    files = good()
    line = dict(files["batches.jsonl"][0]["lines"][0])
    extra = dict(files["batches.jsonl"][0])
    extra.update(batch=9, lines=[line], total_cents=line["amount_cents"])
    files["batches.jsonl"].append(extra)
    assert "SETTLED_TWICE" in codes_of(audited, files)


def test_a_line_returns_after_its_payment_failed(audited: Audited) -> None:
    files = good()
    lines = [line["entry"] for batch in files["batches.jsonl"] for line in batch["lines"]]
    assert len(lines) > len(set(lines))
    assert codes_of(audited, files) == set()


def test_a_batch_paid_twice(audited: Audited) -> None:
    files = good()
    again = files["payments.jsonl"][0] | {
        "payment": 9, "end_to_end_id": "E2E9", "state": "sent", "outcome_ref": None,
    }  # fmt: skip
    files["payments.jsonl"].append(again)
    assert "PAID_TWICE" in codes_of(audited, files)
