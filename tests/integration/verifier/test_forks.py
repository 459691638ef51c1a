"""Two records of one counter: one is paid by the wallet, the other is dead."""

from tests.integration.verifier.conftest import Audited, codes
from tests.integration.verifier.export_files import chain
from tests.integration.verifier.town_books import Town, name_of, record_name, twin_of


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
        town.book(source, "suspense", cents, "record", record_name(card))
    files = town.exported()
    assert codes(audited, files) == set()
    files["transfers.jsonl"][-1]["from"] = town.wallet(town.anna)
    assert codes(audited, chain(files)) == {"POSTED_TWICE"}
