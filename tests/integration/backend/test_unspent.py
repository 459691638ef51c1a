"""What was promised and not taken goes back to the fund, and from there to the funder."""

import pytest

from backend.domain.ledger import AccountKind
from backend.errors import ConflictError, NotPermittedError
from backend.services.administration.unspent import UnspentOffice
from cardlib.wire.money import Money
from tests.integration.backend.builders import APPROVER, LOADER, Town

BOTH = {"requested_by": LOADER, "approved_by": APPROVER}
CENTS = 3_000


def office(town: Town) -> UnspentOffice:
    return UnspentOffice(town.work, town.clock)


def award(town: Town) -> int:
    return town.office.award(
        town.programme, "Stato", "household 1", Money(CENTS), act="Det. 1", **BOTH
    )


def held(town: Town, kind: AccountKind) -> int:
    with town.work.begin() as unit:
        balances = unit.ledger.balances().items()
        return sum(cents for account, cents in balances if account.kind is kind)


def test_an_order_that_nobody_signed_frees_its_award_for_the_fund(town: Town) -> None:
    given, before = award(town), held(town, AccountKind.FUND)
    order = town.loads.approve(given, town.new_chip().purse, Money(2_000), **BOTH)
    with pytest.raises(ConflictError) as refused:
        office(town).withdraw(given, Money(CENTS), **BOTH)
    assert (refused.value.code, refused.value.facts) == ("AWARD_TOO_SMALL", {"cents": 1_000})
    office(town).cancel_order(order, **BOTH)
    office(town).cancel_order(order, **BOTH)
    assert office(town).withdraw(given, Money(2_500), **BOTH) == CENTS - 2_500
    assert held(town, AccountKind.FUND) == before + 2_500
    assert held(town, AccountKind.COMMITTED) == CENTS - 2_500


def test_an_order_that_was_signed_is_not_cancelled_at_the_desk(town: Town) -> None:
    chip = town.new_chip()
    order = town.order(chip, CENTS)
    town.sign(chip, order)
    with pytest.raises(ConflictError, match="ORDER_NOT_CANCELLED"):
        office(town).cancel_order(order, **BOTH)


def test_money_returns_to_the_funder_as_far_as_the_fund_has_it(town: Town) -> None:
    left = held(town, AccountKind.FUND)
    with pytest.raises(ConflictError, match="FUND_TOO_SMALL"):
        office(town).give_back(town.programme, "Stato", Money(left + 1), act="Det. 9", by=LOADER)
    office(town).give_back(town.programme, "Stato", Money(left), act="Det. 9", by=LOADER)
    assert held(town, AccountKind.FUND) == 0


def test_nobody_takes_back_alone(town: Town) -> None:
    alone = {"requested_by": LOADER, "approved_by": LOADER.upper()}
    with pytest.raises(NotPermittedError):
        office(town).cancel_order(1, **alone)
    with pytest.raises(NotPermittedError):
        office(town).withdraw(award(town), Money(1), **alone)
