"""Amounts that are open while the record before a sale is not known."""

from copy import deepcopy

from tests.integration.verifier.conftest import Audited, codes
from tests.integration.verifier.town_books import Town


def test_an_amount_is_open_while_the_record_before_is_missing(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    town.grocer.sale(town.anna, grant, 300)
    town.grocer.entries.clear()
    sale = town.baker.sale(town.anna, grant, 700)
    town.post(town.anna, sale, 700, 1)
    town.verdict(sale, "proven", "payable", amount_open=True)
    files = town.exported()
    assert codes(audited, files) == set()
    entry = next(row for row in files["entries.jsonl"] if row["posting"])
    entry["posting"]["amount_open"] = False
    assert codes(audited, files) == {"AMOUNT_NOT_OPEN"}


def test_an_unproven_sale_of_ones_own_closes_no_amount(audited: Audited, town: Town) -> None:
    """A rogue shop may claim a sale of its own in the place of another shop's."""
    grant = town.load(town.anna, 1, 1, 5_000)
    town.post(town.anna, town.baker.sale(town.anna, grant, 300, tc=False), 300, 1, "unproven")
    sale = town.baker.sale(town.anna, grant, 700)
    town.post(town.anna, sale, 700, 1)
    assert codes(audited, deepcopy(town).exported()) == {"AMOUNT_NOT_OPEN"}
    town.verdict(sale, "proven", "payable", amount_open=True)
    assert codes(audited, town.exported()) == set()


def test_an_amount_may_not_be_held_open_for_nothing(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    sale = town.baker.sale(town.anna, grant, 700)
    town.post(town.anna, sale, 700, 1)
    town.verdict(sale, "proven", "payable", amount_open=True)
    assert codes(audited, town.exported()) == {"AMOUNT_HELD_OPEN"}
