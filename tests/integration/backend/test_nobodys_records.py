"""Records in the backend's own name: terminal 0 is nobody's journal."""

from dataclasses import replace

from cardlib.codec.purse import SpendType
from cardlib.keys import records
from cardlib.keys.intent_rule import record_hash
from tests.integration.backend.books import check_laws, held, payable, postings
from tests.integration.backend.builders import Town


def test_a_sale_that_a_stolen_key_wrote_in_the_backends_name_is_paid_to_nobody(
    town: Town,
) -> None:
    chip, till = town.chip_with(5000), town.till()
    newest = chip.newest
    forged = replace(
        newest, type=SpendType.SALE, ctr=newest.ctr + 1, terminal=0, seq=7,
        spent=(newest.spent[0] + 1000, *newest.spent[1:]),
        prev=record_hash(chip.records[0])[:4],
    )  # fmt: skip
    chip.write(records.seal_spend(chip.keys.debit.record, forged))
    till.prove(chip, 1)

    till.sync()

    (posting,) = postings(town, chip)
    assert posting.reason == "SALE_GRANT_UNKNOWN"
    assert payable(town, town.shop) == 0
    assert held(town)["suspense"] == 1000
    check_laws(town)
