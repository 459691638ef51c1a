"""Goods that came back, in an export: two people, once, and no more than was sold."""

from collections.abc import Callable

import pytest

from tests.integration.verifier.conftest import Audited
from tests.integration.verifier.export_builder import Files, Row, chain, good
from tests.integration.verifier.town_books import POOL

BREAD = "501:3"


def returned(*, repaid: bool = False) -> Files:
    """The good export, with two of the bread's 12.50 euro back to the purse's account."""
    files = good()
    sold = next(row for row in files["transfers.jsonl"] if row["ref"]["id"] == BREAD)
    files["accounts.jsonl"].append(
        {"account": "refund_due", "kind": "refund_due", **POOL, "issuer": None, "purse": None,
         "slot": None, "merchant": None}
    )  # fmt: skip
    files["returns.jsonl"] = [
        POOL | {
            "return": 1, "entry": BREAD, "issuer": "018153", "purse": "a1" * 8, "slot": 1,
            "merchant": 1, "amount_cents": 200, "requested_by": "anna", "approved_by": "bruno",
            "repaid_ref": "TRN 1" if repaid else None,
        }
    ]  # fmt: skip
    book(files, sold, "return_agreed", sold["to"], "refund_due")
    if repaid:
        paid = next(row for row in files["transfers.jsonl"] if row["kind"] == "paid")
        book(files, sold, "return_repaid", paid["to"], sold["to"])
    return chain(files)


def book(files: Files, like: Row, kind: str, source: str, target: str) -> None:
    last = files["transfers.jsonl"][-1]
    moved = {"id": last["id"] + 1, "kind": kind, "from": source, "to": target}
    files["transfers.jsonl"].append(
        like | moved | {
            "amount_cents": 200, "booked_at": last["booked_at"],
            "ref": {"kind": "return", "id": "1"},
        }
    )  # fmt: skip


@pytest.mark.parametrize("repaid", [False, True])
def test_a_return_by_the_rules_is_clean(audited: Audited, repaid: bool) -> None:
    verdict = audited(returned(repaid=repaid))
    assert verdict.holds, [str(finding) for finding in verdict.findings]
    assert verdict.findings.trusted["RETURN_REPAID"] == int(repaid)


def netted(files: Files) -> None:
    files["batches.jsonl"][2]["lines"].append(
        {"entry": BREAD, "amount_cents": -200, "state": "included", "return": 1}
    )


def granted_elsewhere(files: Files) -> None:
    order = files["orders.jsonl"][0]
    order |= {"source": "refund", "source_ref": "return:9", "award": None}


@pytest.mark.parametrize(
    ("says", "spoil"),
    [
        ("RETURN_ONE_PERSON", lambda files: files["returns.jsonl"][0].update(approved_by="Anna")),
        ("RETURN_ONE_PERSON", lambda files: files["returns.jsonl"][0].update(approved_by=None)),
        ("RETURN_ONE_PERSON", lambda files: files["returns.jsonl"][0].update(approved_by=" ")),
        ("RETURN_ONE_PERSON", lambda files: files["returns.jsonl"][0].update(requested_by=None)),
        ("RETURN_ONE_PERSON", lambda files: files["returns.jsonl"][0].update(requested_by="")),
        ("RETURN_WITHOUT_SALE", lambda files: files["returns.jsonl"][0].update(entry="501:99")),
        ("RETURN_WITHOUT_SALE", lambda files: files["returns.jsonl"][0].update(merchant=2)),
        ("RETURN_ABOVE_SALE", lambda files: files["returns.jsonl"][0].update(amount_cents=1251)),
        ("BOOKED_OTHERWISE", lambda files: files["returns.jsonl"][0].update(amount_cents=199)),
        ("BOOKED_OTHERWISE", lambda files: files["returns.jsonl"][0].update(repaid_ref="TRN")),
        ("NUMBER_TWICE", lambda files: files["returns.jsonl"].append(files["returns.jsonl"][0])),
        ("TRANSFER_WITHOUT_DOCUMENT", lambda files: files["returns.jsonl"].clear()),
        ("LINE_WITHOUT_RETURN", netted),
        ("ORDER_WITHOUT_RETURN", granted_elsewhere),
    ],
)
def test_what_is_wrong_with_a_return_is_named(
    audited: Audited, says: str, spoil: Callable[[Files], object]
) -> None:
    files = returned()
    spoil(files)
    assert says in {finding.code for finding in audited(files).findings}


def test_a_return_is_not_taken_off_and_repaid_as_well(audited: Audited) -> None:
    files = returned(repaid=True)
    files["batches.jsonl"][0]["lines"].append(
        {"entry": BREAD, "amount_cents": -200, "state": "included", "return": 1}
    )
    assert "RETURN_NETTED_AND_REPAID" in {item.code for item in audited(files).findings}
