"""What a wallet lacks: lent by exposure, paid back first, and never hidden."""

from copy import deepcopy
from dataclasses import replace

from tests.integration.verifier.conftest import Audited, codes
from tests.integration.verifier.export_files import chain
from tests.integration.verifier.town_books import Town, name_of


def test_overdrawn_before_its_grant_was_confirmed_and_covered_after(
    audited: Audited, town: Town
) -> None:
    """The till saw the grant before the backend knew that the card held it."""
    grant = town.sign(town.anna, 1, 1, 5_000)
    sale = town.baker.sale(town.anna, grant, 700)
    document = name_of(sale)
    town.book("exposure", "suspense", 700, "entry", document)
    town.booked_at += 1
    town.confirm(town.anna, 1, 5_000)
    town.book(town.wallet(town.anna), "exposure", 700, "entry", document)
    town.book("suspense", town.payable(1), 700, "entry", document)
    town.verdict(sale, "proven", "payable")
    files = town.exported()
    assert codes(audited, files) == set()
    del files["transfers.jsonl"][-2]
    files["transfers.jsonl"][-1]["id"] -= 1
    assert codes(audited, chain(files)) == {"WALLET_UNBALANCED"}


def test_exposure_is_a_memo_of_the_wallets_equation(audited: Audited, town: Town) -> None:
    """The wallet lacks 700 of a sale of 1000; nobody hides it."""
    grant = town.sign(town.anna, 1, 1, 300)
    town.confirm(town.anna, 1, 300)
    other = town.sign(town.anna, 2, 2, 5_000, carried=300, state="loading")
    assert grant.grant.granted_total < other.grant.granted_total
    sale = town.baker.sale(town.anna, other, 1_000)
    document = name_of(sale)
    town.book(town.wallet(town.anna), "suspense", 300, "entry", document)
    town.book("exposure", "suspense", 700, "entry", document)
    town.verdict(sale, "proven", "suspense", reason="SALE_OVERDRAWN")
    files = town.exported()
    assert codes(audited, files) == set()
    moved = deepcopy(files)
    moved["transfers.jsonl"][-2]["amount_cents"] = 200
    moved["transfers.jsonl"][-1]["amount_cents"] = 800
    assert "SLOT_NOT_CHARGED" in codes(audited, chain(moved))


def test_a_void_pays_exposure_back_first(audited: Audited, town: Town) -> None:
    town.load(town.anna, 1, 1, 300)
    other = town.sign(town.anna, 2, 2, 5_000, carried=300, state="loading")
    sale = town.baker.sale(town.anna, other, 1_000)
    town.book(town.wallet(town.anna), "suspense", 300, "entry", name_of(sale))
    town.book("exposure", "suspense", 700, "entry", name_of(sale))
    town.verdict(sale, "proven", "suspense", reason="SALE_OVERDRAWN")
    void = town.baker.sale(town.anna, other, 800, voided=sale.header.seq - 1)
    town.book("suspense", "exposure", 700, "entry", name_of(void))
    town.book("suspense", town.wallet(town.anna), 100, "entry", name_of(void))
    town.verdict(void, "proven", "suspense")
    assert codes(audited, town.exported()) == set()


def test_a_grant_of_another_slot_lends_a_sale_no_programme(audited: Audited, town: Town) -> None:
    """A forged grant has the number of a real one; its money waits in another programme."""
    real = town.load(town.anna, 1, 1, 5_000)
    forged = replace(real, grant=replace(real.grant, slot=2, programme=13))
    sale = town.baker.sale(town.anna, forged, 700)
    for kind in ("exposure", "suspense"):
        town.accounts[f"{kind}13"] = town.accounts[town.account(kind)] | {
            "account": f"{kind}13", "programme": 13,
        }  # fmt: skip
    town.book("exposure13", "suspense13", 700, "entry", name_of(sale))
    town.verdict(sale, "proven", "suspense")
    assert codes(audited, town.exported()) == set()
