"""Money that people move: orders, awards, batches and cases; and training, which has none."""

import pytest

from backend.verifier.findings import Law
from tests.integration.verifier.conftest import Audited, codes
from tests.integration.verifier.export_files import chain
from tests.integration.verifier.journal import MORNING
from tests.integration.verifier.town_books import Town, name_of


def test_an_old_wallet_that_is_not_carried_over_expires(audited: Audited, town: Town) -> None:
    town.load(town.anna, 1, 1, 5_000)
    town.load(town.anna, 2, 2, 4_000)
    town.book(town.wallet(town.anna), "expired", 5_000, "order", 2)
    files = town.exported()
    assert codes(audited, files) == set()
    del files["transfers.jsonl"][-1]
    assert {"BOOKED_OTHERWISE", "WALLET_UNBALANCED"} <= codes(audited, chain(files))


def test_a_void_order_gives_its_money_back(audited: Audited, town: Town) -> None:
    town.sign(town.anna, 1, 1, 5_000, state="void")
    town.book("loading", "committed", 5_000, "order", 1)
    files = town.exported()
    assert codes(audited, files) == set()
    del files["transfers.jsonl"][-1]
    assert "BOOKED_OTHERWISE" in codes(audited, chain(files))


def test_money_returned_and_an_award_withdrawn(audited: Audited, town: Town) -> None:
    town.award(3, 4_000, withdrawn=4_000)
    town.fund(2, -20_000)
    assert codes(audited, town.exported()) == set()


def test_a_batch_that_was_turned_down(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    sale = town.post(town.anna, town.baker.sale(town.anna, grant, 700), 700, 1)
    waiting = town.account("in_payment", merchant=1)
    town.booked_at = MORNING + 200
    town.book(town.payable(1), waiting, 700, "batch", 1)
    town.book(waiting, town.payable(1), 700, "batch", 1)
    town.batch(1, 1, {sale: 700}, "failed")
    town.settle(2, 1, {sale: 700}, "paid")
    assert codes(audited, town.exported()) == set()


@pytest.mark.parametrize(("cents", "found"), [(700, set()), (600, {"LINE_OTHER_AMOUNT"})])
def test_a_batch_that_was_turned_down_before_its_sale_was_suspended(
    audited: Audited, town: Town, cents: int, found: set[str]
) -> None:
    """What it was to pay is compared with what the sale was worth, as it stands no more."""
    grant = town.load(town.anna, 1, 1, 5_000)
    sale = town.baker.sale(town.anna, grant, 700)
    town.book(town.wallet(town.anna), "suspense", 700, "entry", name_of(sale))
    town.verdict(sale, "proven", "suspense")
    town.batch(1, 1, {name_of(sale): cents}, "failed")
    assert codes(audited, town.exported()) == found


def test_a_person_decides_a_case(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    sale = town.baker.sale(town.anna, grant, 700)
    town.book(town.wallet(town.anna), "suspense", 700, "entry", name_of(sale))
    town.verdict(sale, "proven", "payable")
    town.book("suspense", town.payable(1), 700, "case", 1)
    town.row(
        "cases", case=1, entry=name_of(sale), amount_cents=0, state="closed", decision="pay",
        decided_by="Ugo", decided_at=1, approved_by="Lia",
    )  # fmt: skip
    town.settle(1, 1, {name_of(sale): 700}, "paid")
    files = town.exported()
    verdict = audited(files)
    assert list(verdict.findings) == []
    assert verdict.findings.trusted["CASE_DECIDED"] == 1
    files["cases.jsonl"][0]["decided_by"] = None
    assert codes(audited, files) == {"CASE_NOT_DECIDED"}
    files["cases.jsonl"][0].update(decided_by=" lia")
    assert codes(audited, files) == {"CASE_ONE_PERSON"}
    files["cases.jsonl"][0].update(decided_by="Ugo", amount_cents=5)
    assert codes(audited, files) == {"CASE_OTHER_AMOUNT"}


def test_training_is_left_out_and_may_not_be_in_the_ledger(audited: Audited, town: Town) -> None:
    town.load(town.anna, 1, 1, 5_000)
    files = town.exported()
    files["purses.jsonl"].append(
        {"issuer": "000000", "purse": "00" * 8, "info_core": "01" + "00" * 15}
    )
    verdict = audited(files)
    assert verdict.holds
    assert verdict.findings.trusted["TRAINING_EXCLUDED"] == 1
    wallet = next(row for row in files["accounts.jsonl"] if row["kind"] == "on_card")
    wallet["issuer"] = "000000"
    assert audited(files).status(Law.CONSERVATION) == "disproved"
