"""Purses that a restored copy has forgotten come back by their own records only (ADR 20)."""

from dataclasses import replace

import pytest

from backend.services.recovery.office import RecoveryOffice
from cardlib.keys import records
from cardlib.keys.derivation import PurseKeys
from cardlib.wire.upload import Outcome
from tests.integration.backend.books import alarms
from tests.integration.backend.builders import Chip, Town


def purses(town: Town) -> int:
    with town.work.read() as unit:
        return len(unit.cards.purses())


def unknown(town: Town, chip: Chip, *, genuine: bool) -> Chip:
    """A purse that the copy has forgotten, or one that only carries our issuer's code."""
    info = replace(chip.info, purse=b"not here")
    keys = PurseKeys.derive(town.keys.masters(info.issuer, 1), info) if genuine else chip.keys
    return Chip(info, keys, town.randomness)


@pytest.mark.parametrize("genuine", [True, False])
@pytest.mark.parametrize("told_by", ["intent", "proof"])
def test_a_purse_is_known_again_by_a_record_under_its_own_keys(
    town: Town, genuine: bool, told_by: str
) -> None:
    till, known = town.till(), town.chip_with(5_000)
    chip = unknown(town, known, genuine=genuine)
    chip.grants = known.grants
    RecoveryOffice(town.work, town.keys, town.clock).begin("Lina")
    with town.work.read() as unit:
        attested, *_ = (item.row for item in unit.verdicts.attestations())
    clear = known.clear(attested.record)

    chip.write(records.seal_spend(chip.keys.debit.record, clear))
    if told_by == "intent":
        till.begin(chip, 500)
    else:
        till.prove(chip, 1)

    (verdict,) = till.sync().verdicts

    assert purses(town) == (2 if genuine else 1)
    assert ("PURSE_FORGOTTEN" in alarms(town)) is genuine
    assert verdict.outcome is (Outcome.CREATED if genuine else Outcome.QUARANTINED)
