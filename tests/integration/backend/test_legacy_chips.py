"""Sales on chips that cannot attest: told, kept, and paid by nobody but a person."""

import pytest

from backend.services.keys.purse_keys import PurseKeyring
from cardlib.codec.purse import FLAG_ATTESTATION, Info
from cardlib.keys.derivation import KeyUse, derive
from cardlib.wire.upload import Outcome
from tests.integration.backend.books import alarms, check_laws, held, payable, postings
from tests.integration.backend.builders import Chip, Town


@pytest.fixture
def chip(town: Town) -> Chip:
    """A purse with 50 EUR on a legacy chip."""
    made = town.new_chip(attests=False)
    town.load(made, 5000)
    return made


def case_codes(town: Town) -> list[str]:
    with town.work.begin() as unit:
        return [case.code for case in unit.verdicts.cases()]


def test_a_sale_on_a_legacy_chip_is_taken_and_waits_for_a_person(town: Town, chip: Chip) -> None:
    till = town.till()
    till.sell(chip, 1250, tc=False)

    answer = till.sync()

    assert [verdict.outcome for verdict in answer.verdicts] == [Outcome.CREATED] * 2
    (posting,) = postings(town, chip)
    assert (posting.state, posting.reason) == ("unproven", "SALE_ORACLE")
    assert (payable(town, town.shop), held(town)["suspense"]) == (0, 1250)
    assert case_codes(town) == ["SALE_ORACLE"]
    check_laws(town)


def test_even_a_certificate_that_would_be_good_proves_nothing(town: Town, chip: Chip) -> None:
    """Such a chip has no K_TC: whoever can make one has it from somewhere else."""
    till = town.till()
    till.sell(chip, 1250, tc=True)
    till.prove(chip, 1)
    till.sync()

    assert [posting.state for posting in postings(town, chip)] == ["unproven"]
    assert payable(town, town.shop) == 0
    check_laws(town)


def test_an_entry_cannot_lend_its_purse_another_chip(town: Town, chip: Chip) -> None:
    """What the chip can is on record with the purse, not in what a till writes."""
    core = bytearray(chip.info.core)
    core[12] |= FLAG_ATTESTATION
    lent = Chip(Info.from_core(bytes(core)), chip.keys, chip.randomness, chip.records, chip.grants)
    keyring = PurseKeyring(town.keys)
    assert keyring.is_attested(lent.info, lent.attest())
    till = town.till()
    till.sell(lent, 1250, tc=True)
    till.sync()

    assert [posting.state for posting in postings(town, chip)] == ["unproven"]
    assert payable(town, town.shop) == 0


def test_neither_another_shop_nor_a_later_sale_proves_it(town: Town, chip: Chip) -> None:
    till, other = town.till(), town.till(town.other_shop)
    till.sell(chip, 1250)
    till.sync()
    other.sell(chip, 300)
    other.prove(chip, 1, 2)
    other.sync()

    assert [posting.state for posting in postings(town, chip)] == ["unproven"] * 2
    assert (payable(town, town.shop), payable(town, town.other_shop)) == (0, 0)
    assert held(town)["suspense"] == 1550
    check_laws(town)


def test_nobody_is_asked_for_a_proof_that_cannot_be_given(town: Town, chip: Chip) -> None:
    till = town.till()
    till.sell(chip, 1250)
    till.sync()

    with town.work.begin() as unit:
        assert not unit.verdicts.proof_requests()


def test_no_watermark_moves_on_what_is_not_proven(town: Town, chip: Chip) -> None:
    till = town.till()
    till.sell(chip, 1250)
    till.sync()

    with town.work.begin() as unit:
        purse = town.purse_row(unit, chip)
        assert (purse.proven_ctr, purse.proven_hash, purse.card_mark) == (0, None, 0)


def test_a_void_takes_the_claim_back(town: Town, chip: Chip) -> None:
    till = town.till()
    sale = till.sell(chip, 1250)
    till.void(chip, sale, 1250)
    till.sync()

    assert payable(town, town.shop) == 0
    check_laws(town)


def test_two_tills_that_took_the_same_place_leave_one_claim_live(town: Town, chip: Chip) -> None:
    """Attack 8, which a legacy chip lets through: neither claim proves itself."""
    first, second = town.till(), town.till(town.other_shop)
    twin = chip.twin()
    first.sell(chip, 2000)
    second.sell(twin, 1999)
    first.sync()
    second.sync()

    assert sorted(posting.live for posting in postings(town, chip)) == [False, True]
    assert (payable(town, town.shop), payable(town, town.other_shop)) == (0, 0)
    check_laws(town)


def test_other_cards_are_judged_as_before(town: Town) -> None:
    usual = town.chip_with(5000)
    till = town.till()
    till.sell(usual, 1250)
    till.sync()

    assert payable(town, town.shop) == 1250


def test_a_certificate_that_the_chip_has_not_made_is_an_alarm(town: Town, chip: Chip) -> None:
    """The oracle's answer proves no sale, but a made-up one says something about the shop."""
    honest, rogue = town.till(), town.till(town.other_shop)
    masters = town.keys.masters(chip.info.issuer, 1)
    chip.oracle = derive(masters.attest, KeyUse.ORACLE, chip.info)
    honest.sell(chip, 500)
    honest.sync()
    assert alarms(town) == []

    chip.oracle = bytes(16)
    rogue.sell(chip, 300)
    rogue.sync()

    assert alarms(town) == ["ORACLE_BAD"]
    assert [posting.state for posting in postings(town, chip)] == ["unproven"] * 2
