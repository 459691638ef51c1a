"""Law 1: balanced books that tell another story than the signed documents."""

import pytest

from backend.verifier.findings import Law
from tests.integration.verifier.conftest import Audited
from tests.integration.verifier.export_builder import Files, Row, chain, good


def transfer_of(files: Files, kind: str, document: str) -> Row:
    return next(
        row for row in files["transfers.jsonl"] if row["ref"] == {"kind": kind, "id": document}
    )


ALL_TRANSFERS = range(1, len(good()["transfers.jsonl"]) + 1)


@pytest.mark.parametrize("number", ALL_TRANSFERS)
def test_one_transfer_changed_by_hand_names_law_1(audited: Audited, number: int) -> None:
    files = good()
    files["transfers.jsonl"][number - 1]["amount_cents"] += 100
    verdict = audited(files)
    assert verdict.status(Law.CONSERVATION) == "disproved"
    changed = [item for item in verdict.findings if item.code == "TRANSFER_CHANGED"]
    assert changed[0].facts["transfer"] == number


@pytest.mark.parametrize("number", ALL_TRANSFERS)
def test_a_changed_transfer_is_found_though_the_ledger_was_hashed_again(
    audited: Audited, number: int
) -> None:
    files = good()
    files["transfers.jsonl"][number - 1]["amount_cents"] += 1
    verdict = audited(chain(files))
    found = [item for item in verdict.findings if item.code == "BOOKED_OTHERWISE"]
    assert found
    assert {item.law for item in verdict.findings} == {Law.CONSERVATION}
    assert any(str(number) in str(item.facts["transfers"]) for item in found)


@pytest.mark.parametrize("number", ALL_TRANSFERS)
def test_a_transfer_left_out_is_missed(audited: Audited, number: int) -> None:
    files = good()
    del files["transfers.jsonl"][number - 1]
    for place, row in enumerate(files["transfers.jsonl"], start=1):
        row["id"] = place
    assert audited(chain(files)).status(Law.CONSERVATION) == "disproved"


def test_money_sent_to_another_shop_is_found(audited: Audited) -> None:
    files = good()
    sale = transfer_of(files, "entry", "501:3")
    sale["to"] = "payable/2"
    found = {
        item.facts["account"]: (item.facts["wanted"], item.facts["booked"])
        for item in audited(chain(files)).findings
        if item.place.seq == 3
    }
    assert found == {
        "payable 1 (programme 12)": (1_250, 0),
        "payable 2 (programme 12)": (0, 1_250),
    }


def test_a_wallet_spared_at_the_expense_of_exposure_is_found(audited: Audited) -> None:
    files = good()
    files["accounts.jsonl"].append(
        files["accounts.jsonl"][0] | {"account": "exposure", "kind": "exposure"}
    )
    transfer_of(files, "entry", "501:3")["from"] = "exposure"
    assert "SLOT_NOT_CHARGED" in {item.code for item in audited(chain(files)).findings}


def test_a_sale_booked_without_an_entry_is_found(audited: Audited) -> None:
    files = good()
    invented = transfer_of(files, "entry", "501:3") | {
        "id": len(files["transfers.jsonl"]) + 1,
        "ref": {"kind": "entry", "id": "501:99"},
    }
    files["transfers.jsonl"].append(invented)
    found = {item.code: item for item in audited(chain(files)).findings}
    assert found["TRANSFER_WITHOUT_DOCUMENT"].facts["document"] == "501:99"


def test_a_sale_that_nobody_is_paid_for_is_found(audited: Audited) -> None:
    files = good()
    entry = next(row for row in files["entries.jsonl"] if row["posting"])
    entry["posting"] = entry["posting"] | {"state": "contradicted", "claim": "none"}
    assert "SALE_NOT_POSTED" in {item.code for item in audited(files).findings}


def test_a_sale_called_proven_without_any_proof_is_found(audited: Audited) -> None:
    files = good()
    entry = next(
        row
        for row in files["entries.jsonl"]
        if row["posting"] and row["posting"]["state"] == "unproven"
    )
    entry["posting"] = entry["posting"] | {"state": "proven"}
    assert "PROVEN_WITHOUT_PROOF" in {item.code for item in audited(files).findings}


def test_money_moved_between_funding_sources_is_found(audited: Audited) -> None:
    files = good()
    account = next(row for row in files["accounts.jsonl"] if row["kind"] == "paid")
    account["funding_source"] = "region"
    codes = {item.code for item in audited(files).findings}
    assert {"TRANSFER_CROSSES", "POOL_UNBALANCED"} <= codes


def test_a_batch_line_at_another_amount_is_found(audited: Audited) -> None:
    files = good()
    batch = files["batches.jsonl"][0]
    batch["lines"][0]["amount_cents"] += 10
    batch["total_cents"] += 10
    codes = {item.code for item in audited(files).findings}
    assert {"LINE_OTHER_AMOUNT", "BOOKED_OTHERWISE"} <= codes


def test_the_ledger_may_not_end_early(audited: Audited) -> None:
    """Cut off the last transfer: the manifest still names it."""
    files = good()
    last = files["transfers.jsonl"].pop()
    files["transfers.jsonl"].append(last | {"id": last["id"] + 1})
    assert "TRANSFER_MISSING" in {item.code for item in audited(files).findings}


def test_a_card_that_one_person_alone_opened_again_is_named(audited: Audited) -> None:
    files = good()
    files["purses.jsonl"][0]["blocks"] = [
        {"block": 1, "code": "CARD_LOST", "from": 1, "to": 2, "ended_by": "anna",
         "end_approved_by": "Anna "}
    ]  # fmt: skip
    assert [finding.code for finding in audited(files).findings] == ["BLOCK_ENDED_BY_ONE"]
