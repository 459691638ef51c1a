"""What proves a sale: its own certificate, a later read, a record of another shop above it."""

from cardlib.wire.entry_body import AttestedRead, Proof
from tests.integration.verifier.conftest import Audited, codes
from tests.integration.verifier.town_books import Town, name_of


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


def test_a_shop_vouches_for_what_it_wrote_over_and_for_nothing_below(
    audited: Audited, town: Town
) -> None:
    """The grocer has read the baker's second sale; of the first the baker alone has told."""
    grant = town.load(town.anna, 1, 1, 5_000)
    for _ in range(2):
        town.post(town.anna, town.baker.sale(town.anna, grant, 100, tc=False), 100, 1)
    town.post(town.anna, town.grocer.sale(town.anna, grant, 300), 300, 2)
    assert codes(audited, town.exported()) == {"PROVEN_WITHOUT_PROOF"}


def test_a_shop_whose_own_sale_is_unproven_vouches_for_none(audited: Audited, town: Town) -> None:
    grant = town.load(town.anna, 1, 1, 5_000)
    town.post(town.anna, town.baker.sale(town.anna, grant, 100, tc=False), 100, 1)
    above = town.grocer.sale(town.anna, grant, 300, tc=False)
    town.post(town.anna, above, 300, 2, "unproven")
    assert codes(audited, town.exported()) == {"PROVEN_WITHOUT_PROOF"}


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
