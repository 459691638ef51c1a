"""Proven records without an entry: they wait in suspense for the till's word."""

from copy import deepcopy
from typing import Any

import pytest

from cardlib.wire.entry_body import NotApplied, NotAppliedCode, Unresolved
from tests.integration.verifier.conftest import Audited, codes
from tests.integration.verifier.export_files import Files, chain
from tests.integration.verifier.town_books import Town, name_of, record_name


def test_a_proven_record_waits_in_suspense_for_its_entry(audited: Audited, town: Town) -> None:
    """The till burnt after the debit; a desk read the card."""
    grant = town.load(town.anna, 1, 1, 5_000)
    sale = town.baker.sale(town.anna, grant, 700)
    town.baker.entries.pop()
    town.attest(town.anna)
    town.book(town.wallet(town.anna), "suspense", 700, "record", record_name(town.anna))
    late = deepcopy(town)
    files = town.exported()
    assert codes(audited, files) == set()
    files["transfers.jsonl"][-1]["amount_cents"] = 600
    assert "BOOKED_OTHERWISE" in codes(audited, chain(files))

    late.baker.entries.append(sale)
    late.book("suspense", late.payable(1), 700, "entry", name_of(sale))
    late.verdict(sale, "proven", "payable")
    assert codes(audited, late.exported()) == set()


def test_a_record_that_nobody_attested_moves_no_money(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    town.baker.sale(town.anna, grant, 700)
    town.baker.entries.pop()
    town.book(town.wallet(town.anna), "suspense", 700, "record", record_name(town.anna))
    assert "TRANSFER_WITHOUT_DOCUMENT" in codes(audited, town.exported())


def test_a_debit_that_the_till_denied_is_refunded_not_paid(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    prior = town.anna.record
    town.baker.sale(town.anna, grant, 700)
    town.baker.entries.pop()
    intent = town.baker.entries[-1].header.seq
    town.baker.add(NotApplied(intent_seq=intent, code=NotAppliedCode.READ, newest_record=prior))
    town.attest(town.anna)
    town.book(town.wallet(town.anna), "refund_due", 700, "record", record_name(town.anna))
    files = town.exported()
    assert codes(audited, files) == set()
    files["transfers.jsonl"][-1]["to"] = town.payable(1)
    files["accounts.jsonl"] = list(town.accounts.values())
    assert "BOOKED_OTHERWISE" in codes(audited, chain(files))


def refunded(
    town: Town, cents: int = 700, card: str = "anna", document: str | None = None
) -> Files:
    """Anna's sale of 7 euro was denied by its till, and is granted again."""
    grant = town.load(town.anna, 1, 1, 5_000)
    prior = town.anna.record
    town.baker.sale(town.anna, grant, 700)
    town.baker.entries.pop()
    intent = town.baker.entries[-1].header.seq
    town.baker.add(NotApplied(intent_seq=intent, code=NotAppliedCode.READ, newest_record=prior))
    town.attest(town.anna)
    name = record_name(town.anna)
    town.book(town.wallet(town.anna), "refund_due", 700, "record", name)
    to = getattr(town, card)
    carried = 5_000 - 700 if card == "anna" else 0
    town.load(to, 2, 2, cents, carried=carried)
    order = town.files["orders.jsonl"][-1]
    order |= {"source": "refund", "source_ref": name if document is None else document}
    order["award"] = None
    for row in town.files["transfers.jsonl"]:
        if row["ref"] == {"kind": "order", "id": "2"} and row["from"] == "committed":
            row["from"] = "refund_due"
    return town.exported()


def test_what_is_due_to_a_purse_is_granted_to_it(audited: Audited, town: Town) -> None:
    assert codes(audited, refunded(town)) == set()


@pytest.mark.parametrize(
    "otherwise", [{"card": "bruno"}, {"document": "501:99"}, {"document": ""}, {"cents": 701}]
)
def test_what_is_due_is_granted_to_nobody_else_and_not_twice(
    audited: Audited, town: Town, otherwise: dict[str, Any]
) -> None:
    """Another's refund, one of no sale, one cent more than is due."""
    assert "REFUND_WITHOUT_CLAIM" in codes(audited, refunded(town, **otherwise))


def test_people_pay_the_shop_whose_till_it_was_and_no_other(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    town.baker.sale(town.anna, grant, 700)
    town.baker.entries.pop()
    town.attest(town.anna)
    name = record_name(town.anna)
    town.book(town.wallet(town.anna), "suspense", 700, "record", name)
    town.book("suspense", town.payable(1), 700, "case", 1)
    town.row(
        "cases", case=1, document=name, entry=None, amount_cents=0, state="closed",
        decision="pay", decided_by="Ugo", approved_by="Lia", decided_at=1,
    )  # fmt: skip
    town.payable(2)
    files = town.exported()
    assert codes(audited, files) == set()
    files["transfers.jsonl"][-1]["to"] = town.payable(2)
    assert "BOOKED_OTHERWISE" in codes(audited, chain(files))


def test_a_debit_that_the_till_left_open_is_paid_and_settled(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    town.baker.sale(town.anna, grant, 700)
    town.baker.entries.pop()
    town.baker.add(Unresolved(intent_seq=town.baker.entries[-1].header.seq, code="GONE"))
    town.attest(town.anna)
    town.book(town.wallet(town.anna), town.payable(1), 700, "record", record_name(town.anna))
    town.settle(1, 1, {record_name(town.anna): 700}, "paid")
    assert codes(audited, town.exported()) == set()
