"""Voids: what is held back while no card proves one, and what one may take back."""

from tests.integration.verifier.conftest import Audited, codes
from tests.integration.verifier.export_builder import good
from tests.integration.verifier.export_files import chain
from tests.integration.verifier.town_books import Town, name_of, twin_of


def test_an_unproven_void_holds_the_shops_money_back(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    town.post(town.anna, town.baker.sale(town.anna, grant, 700), 700, 1)
    sold = town.baker.entries[-2].header.seq
    void = town.baker.sale(town.anna, grant, 200, voided=sold, tc=False)
    town.book(town.payable(1), "suspense", 200, "entry", name_of(void))
    town.verdict(void, "unproven", "suspense")
    files = town.exported()
    assert codes(audited, files) == set()
    files["transfers.jsonl"][-1]["to"] = town.wallet(town.anna)
    assert "BOOKED_OTHERWISE" in codes(audited, chain(files))


def test_an_unproven_void_of_a_sale_in_suspense_moves_nothing(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    town.post(town.anna, town.baker.sale(town.anna, grant, 700, tc=False), 700, 1, "unproven")
    sold = town.baker.entries[-2].header.seq
    void = town.baker.sale(town.anna, grant, 200, voided=sold, tc=False)
    town.verdict(void, "unproven", "suspense")
    assert codes(audited, town.exported()) == set()


def test_a_void_gives_back_no_more_than_its_sale_is_posted_at(audited: Audited, town: Town) -> None:
    """The till lied about what it had read; the neighbours say that its sale took nothing."""
    grant = town.load(town.anna, 1, 1, 5_000)
    honest, liar = town.anna, twin_of(town.anna)
    town.post(honest, town.baker.sale(honest, grant, 900), 900, 1)
    town.grocer.sale(liar, grant, 100)
    town.grocer.entries.clear()
    sold = town.grocer.sale(liar, grant, 300)
    town.verdict(sold, "proven", "none")
    void = town.grocer.sale(liar, grant, 300, voided=sold.header.seq - 1)
    town.verdict(void, "proven", "none")
    assert codes(audited, town.exported()) == set()


def returned_and_voided(town: Town) -> str:
    """People gave an unproven sale back to its wallet; then a proven void finds nothing there."""
    grant = town.load(town.anna, 1, 1, 5_000)
    sale = town.baker.sale(town.anna, grant, 700, tc=False)
    town.post(town.anna, sale, 700, 1, "unproven")
    town.book("suspense", town.wallet(town.anna), 700, "case", 1)
    town.verdict(sale, "unproven", "none")
    town.row(
        "cases", case=1, document=name_of(sale), entry=name_of(sale), amount_cents=0,
        state="closed", decision="return", decided_by="Ugo", approved_by="Lia", decided_at=1,
    )  # fmt: skip
    void = town.baker.sale(town.anna, grant, 700, voided=sale.header.seq - 1)
    town.verdict(void, "proven", "none", amount_open=True)
    return name_of(void)


def test_a_void_of_a_sale_that_was_given_back_moves_nothing(audited: Audited, town: Town) -> None:
    returned_and_voided(town)
    assert codes(audited, town.exported()) == set()


def test_nor_may_it_take_from_the_shop(audited: Audited, town: Town) -> None:
    void = returned_and_voided(town)
    town.book(town.payable(1), town.wallet(town.anna), 700, "entry", void)
    assert "BOOKED_OTHERWISE" in codes(audited, town.exported())


def test_a_void_that_moves_nothing_needs_a_sale_that_was_given_back(
    audited: Audited, town: Town
) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    sale = town.baker.sale(town.anna, grant, 700)
    town.post(town.anna, sale, 700, 1)
    void = town.baker.sale(town.anna, grant, 700, voided=sale.header.seq - 1)
    town.verdict(void, "proven", "none")
    assert {"CLAIM_NOT_OF_STATE", "BOOKED_OTHERWISE"} <= codes(audited, town.exported())


def test_a_void_of_a_day_already_closed_is_told(audited: Audited, town: Town) -> None:
    """Its money is in order; but such a sale is returned, not voided."""
    grant = town.load(town.anna, 1, 1, 5_000)
    town.post(town.anna, town.baker.sale(town.anna, grant, 700), 700, 1)
    sold = town.baker.entries[-2].header.seq
    town.baker.close(None)
    town.post(town.anna, town.baker.sale(town.anna, grant, 700, voided=sold), -700, 1)
    verdict = audited(town.exported())
    assert verdict.holds
    assert verdict.findings.trusted["VOID_AFTER_CLOSE"] == 1


def test_a_void_of_an_open_day_is_not_held_back(audited: Audited) -> None:
    """Nobody may keep a wallet's money by calling a void late that was not."""
    files = good()
    void = next(row for row in files["entries.jsonl"] if (row["terminal"], row["seq"]) == (502, 5))
    void["posting"]["claim"] = "suspense"
    assert "BOOKED_OTHERWISE" in {finding.code for finding in audited(files).findings}
