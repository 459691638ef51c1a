"""A load that was held back, given up, ordered again, and released (PROTOCOL 6)."""

import pytest

from backend.services.wallets import grants
from cardlib.wire.money import Money
from tests.integration.backend.books import alarms, held, payable, postings
from tests.integration.backend.builders import APPROVER, LOADER, Chip, Town


def held_back(town: Town, chip: Chip, cents: int) -> int:
    """The grant leaves, the order is given up, the card shows it later; the award."""
    number = town.order(chip, cents)
    row = town.sign(chip, number)
    with town.work.begin() as unit:
        (grant,) = unit.cards.grants_of(row.purse_id)
        grants.void(unit, grant, town.clock.seconds)
        award = unit.cards.order(number).award_id
        unit.commit()
    assert award is not None
    return award


@pytest.mark.parametrize("again", [True, False])
def test_a_revived_load_takes_its_own_money_only(town: Town, again: bool) -> None:
    chip, new, other, till = town.new_chip(), town.new_chip(), town.new_chip(), town.till()
    award = held_back(town, chip, 1_000)
    if again:
        order = town.loads.approve(
            award, new.purse, Money(1_000), requested_by=LOADER, approved_by=APPROVER
        )
        town.confirm(town.sign(new, order))
    theirs = town.order(other, 1_000)

    till.sell(chip, 400)
    till.sync()

    assert "GRANT_REVIVED" in alarms(town)
    assert payable(town, town.shop) == (0 if again else 400)
    assert postings(town, chip)[0].reason == ("SALE_GRANT_UNKNOWN" if again else "")
    town.confirm(town.sign(other, theirs))
    assert held(town)["on_card"] == (2_000 if again else 1_600)
