"""Law 1 where entries and money part for a while: each case of PROTOCOL 6 and 7 by hand.

Every town here is honest and passes; the second half of a test bends it a little.
"""

from copy import deepcopy
from dataclasses import replace

import pytest

from backend.verifier.findings import Law
from cardlib.keys.intent_rule import record_hash
from cardlib.wire.entry_body import AttestedRead, NotApplied, NotAppliedCode, Proof, Unresolved
from tests.integration.verifier.conftest import Audited
from tests.integration.verifier.export_builder import good
from tests.integration.verifier.export_files import Files, chain
from tests.integration.verifier.journal import MORNING
from tests.integration.verifier.town_books import TOWN, Town, name_of, twin_of


@pytest.fixture
def town() -> Town:
    return Town()


def record_of(town: Town) -> str:
    """How a transfer names Anna's newest record."""
    digest = record_hash(town.anna.record)[:4].hex()
    return f"{TOWN.hex()}:{town.anna.info.purse.hex()}:{town.anna.ctr}:{digest}"


def codes(audited: Audited, files: Files) -> set[str]:
    return {item.code for item in audited(files).findings}


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


def test_a_later_proof_moves_suspense_to_the_shop(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    sale = town.baker.sale(town.anna, grant, 700, tc=False)
    town.post(town.anna, sale, 700, 1, "unproven")
    town.attest(town.anna)
    town.book("suspense", town.payable(1), 700, "entry", name_of(sale))
    town.verdict(sale, "proven", "payable")
    files = town.exported()
    assert codes(audited, files) == set()
    files["attestations.jsonl"].pop()
    assert codes(audited, files) == {"PROVEN_WITHOUT_PROOF"}


def test_a_sale_written_over_at_another_shop_is_proven(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    town.post(town.anna, town.baker.sale(town.anna, grant, 700, tc=False), 700, 1)
    town.post(town.anna, town.grocer.sale(town.anna, grant, 300), 300, 2)
    assert codes(audited, town.exported()) == set()


def test_a_proof_from_above_reaches_all_unbroken_records_below(
    audited: Audited, town: Town
) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    for _ in range(3):
        town.post(town.anna, town.baker.sale(town.anna, grant, 100, tc=False), 100, 1)
    town.post(town.anna, town.grocer.sale(town.anna, grant, 300), 300, 2)
    files = town.exported()
    assert codes(audited, files) == set()
    unproven = Town()
    grant = unproven.load(unproven.anna, 1, 1, 5_000)
    sale = unproven.baker.sale(unproven.anna, grant, 100, tc=False)
    unproven.post(unproven.anna, sale, 100, 1)
    above = unproven.grocer.sale(unproven.anna, grant, 300, tc=False)
    unproven.post(unproven.anna, above, 300, 2, "unproven")
    assert codes(audited, unproven.exported()) == {"PROVEN_WITHOUT_PROOF"}


def test_a_sale_written_over_at_the_same_shop_is_not(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    town.post(town.anna, town.baker.sale(town.anna, grant, 700, tc=False), 700, 1)
    town.post(town.anna, town.baker.sale(town.anna, grant, 300), 300, 1)
    assert codes(audited, town.exported()) == {"PROVEN_WITHOUT_PROOF"}


def test_a_proof_entry_proves_a_sale(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    town.post(town.anna, town.baker.sale(town.anna, grant, 700, tc=False), 700, 1)
    read = AttestedRead(1, town.anna.record, bytes(8), bytes(8))
    town.grocer.add(Proof(info_core=town.anna.info.core, reads=(read,)))
    assert codes(audited, town.exported()) == set()


def test_an_attestation_must_be_in_the_entry_that_it_names(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    sale = town.baker.sale(town.anna, grant, 700)
    town.post(town.anna, sale, 700, 1)
    town.attest(town.anna)
    told = town.files["attestations.jsonl"][-1]
    told.update(source="sale_entry", source_ref=name_of(sale))
    files = town.exported()
    assert codes(audited, files) == set()
    told["source_ref"] = "502:1"
    assert codes(audited, files) == {"ATTESTED_WITHOUT_ENTRY"}


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


def test_a_proven_record_waits_in_suspense_for_its_entry(audited: Audited, town: Town) -> None:
    """The till burnt after the debit; a desk read the card."""
    grant = town.load(town.anna, 1, 1, 5_000)
    sale = town.baker.sale(town.anna, grant, 700)
    town.baker.entries.pop()
    town.attest(town.anna)
    town.book(town.wallet(town.anna), "suspense", 700, "record", record_of(town))
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
    town.book(town.wallet(town.anna), "suspense", 700, "record", record_of(town))
    assert "TRANSFER_WITHOUT_DOCUMENT" in codes(audited, town.exported())


def test_a_debit_that_the_till_denied_is_refunded_not_paid(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    prior = town.anna.record
    town.baker.sale(town.anna, grant, 700)
    town.baker.entries.pop()
    intent = town.baker.entries[-1].header.seq
    town.baker.add(NotApplied(intent_seq=intent, code=NotAppliedCode.READ, newest_record=prior))
    town.attest(town.anna)
    town.book(town.wallet(town.anna), "refund_due", 700, "record", record_of(town))
    files = town.exported()
    assert codes(audited, files) == set()
    files["transfers.jsonl"][-1]["to"] = town.payable(1)
    files["accounts.jsonl"] = list(town.accounts.values())
    assert "BOOKED_OTHERWISE" in codes(audited, chain(files))


def test_a_debit_that_the_till_left_open_is_paid_and_settled(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    town.baker.sale(town.anna, grant, 700)
    town.baker.entries.pop()
    town.baker.add(Unresolved(intent_seq=town.baker.entries[-1].header.seq, code="GONE"))
    town.attest(town.anna)
    town.book(town.wallet(town.anna), town.payable(1), 700, "record", record_of(town))
    town.settle(1, 1, {record_of(town): 700}, "paid")
    assert codes(audited, town.exported()) == set()


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


def test_the_dead_branch_of_a_fork_is_lent_by_exposure(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    twin = twin_of(town.anna)
    town.post(town.anna, town.baker.sale(town.anna, grant, 700), 700, 1)
    dead = town.grocer.sale(twin, grant, 400)
    town.book("exposure", "suspense", 400, "entry", name_of(dead))
    town.verdict(dead, "proven", "suspense", live=False, reason="SALE_FORK_DEAD")
    files = town.exported()
    assert codes(audited, files) == set()
    files["transfers.jsonl"][-1]["from"] = town.wallet(town.anna)
    assert {"SLOT_NOT_CHARGED", "WALLET_UNBALANCED"} <= codes(audited, chain(files))


def test_a_claim_that_the_next_proven_record_refutes_is_dead(audited: Audited, town: Town) -> None:
    """The real first record has no entry yet; the second says what it was written over."""
    grant = town.load(town.anna, 1, 1, 5_000)
    twin = twin_of(town.anna)
    false = town.baker.sale(twin, grant, 900, tc=False)
    town.verdict(false, "unproven", "none", live=False)
    town.grocer.sale(town.anna, grant, 100)
    town.grocer.entries.clear()
    sale = town.grocer.sale(town.anna, grant, 300)
    town.post(town.anna, sale, 300, 2)
    town.verdict(sale, "proven", "payable", amount_open=True)
    files = town.exported()
    assert codes(audited, files) == set()
    second = next(
        row for row in files["entries.jsonl"] if row["terminal"] == 502 and row["posting"]
    )
    second["posting"].update(state="unproven", claim="suspense")
    assert "SALE_NOT_POSTED" in codes(audited, files)


def test_two_proven_records_of_one_counter_without_entries(audited: Audited, town: Town) -> None:
    """Each transfer names its record by hash: the dead one is lent, the live one paid."""
    grant = town.load(town.anna, 1, 1, 5_000)
    twin = twin_of(town.anna)
    for card, till, cents, source in (
        (town.anna, town.baker, 700, town.wallet(town.anna)),
        (twin, town.grocer, 400, "exposure"),
    ):
        till.sale(card, grant, cents)
        till.entries.pop()
        town.attest(card)
        digest = record_hash(card.record)[:4].hex()
        document = f"{TOWN.hex()}:{card.info.purse.hex()}:{card.ctr}:{digest}"
        town.book(source, "suspense", cents, "record", document)
    files = town.exported()
    assert codes(audited, files) == set()
    files["transfers.jsonl"][-1]["from"] = town.wallet(town.anna)
    assert codes(audited, chain(files)) == {"POSTED_TWICE"}


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


def test_a_person_decides_a_case(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    sale = town.baker.sale(town.anna, grant, 700)
    town.book(town.wallet(town.anna), "suspense", 700, "entry", name_of(sale))
    town.verdict(sale, "proven", "payable")
    town.book("suspense", town.payable(1), 700, "case", 1)
    town.row(
        "cases", case=1, entry=name_of(sale), amount_cents=0, state="closed", decision="pay",
        decided_by="Ugo", decided_at=1,
    )  # fmt: skip
    town.settle(1, 1, {name_of(sale): 700}, "paid")
    files = town.exported()
    verdict = audited(files)
    assert list(verdict.findings) == []
    assert verdict.findings.trusted["CASE_DECIDED"] == 1
    files["cases.jsonl"][0]["decided_by"] = None
    assert codes(audited, files) == {"CASE_NOT_DECIDED"}
    files["cases.jsonl"][0].update(decided_by="Ugo", amount_cents=5)
    assert codes(audited, files) == {"CASE_OTHER_AMOUNT"}


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
