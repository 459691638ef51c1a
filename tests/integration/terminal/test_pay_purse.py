"""``terminal pay`` on a card with the purses of two towns: which one pays."""

import pytest

from cardlib.wire.money import Money
from simulator.faults import TearAfter, nth
from terminal.pay import Order, Paid, pay
from terminal.pay_talk import PlainTalk
from terminal.sale.offer import Item
from terminal.till import Till
from tests.integration.terminal.another_town import (
    OTHER_ISSUER,
    OTHER_PIN,
    second_spent,
    till_of,
    with_another_town,
)
from tests.integration.terminal.stage import FOOD, ISSUER, Customer, Stage, StageCard, codes
from tests.integration.terminal.test_pay import Script
from tests.integration.terminal.test_sale import refused

NOWHERE = bytes.fromhex("001001")


@pytest.fixture
def first(stage: Stage) -> StageCard:
    return stage.card()


@pytest.fixture
def second(stage: Stage, first: StageCard) -> StageCard:
    return with_another_town(stage, first)


@pytest.fixture
def two_towns(stage: Stage, second: StageCard) -> Till:
    return till_of(stage, ISSUER, OTHER_ISSUER)


def order(shop: Customer, script: Script, issuer: bytes | None, cents: int = 4_00) -> Paid:
    asked = Order((Item(FOOD, Money(cents)),), issuer=issuer)
    return pay(shop.counter, shop.card, asked, script)


def test_the_named_town_pays(two_towns: Till, first: StageCard, second: StageCard) -> None:
    paid = order(Customer(two_towns, first.plug()), Script(OTHER_PIN), OTHER_ISSUER)

    assert paid.result.goods_are_due
    assert (first.newest().spent[0], second_spent(second)) == (0, 4_00)


@pytest.mark.parametrize("issuer", [None, ISSUER])
def test_unnamed_it_is_the_first_purse(
    two_towns: Till, first: StageCard, second: StageCard, issuer: bytes | None
) -> None:
    order(Customer(two_towns, first.plug()), Script(), issuer)

    assert (first.newest().spent[0], second_spent(second)) == (4_00, 0)


def test_after_a_wrong_pin_the_named_town_is_still_asked(
    two_towns: Till, first: StageCard, second: StageCard
) -> None:
    order(Customer(two_towns, first.plug()), Script("99999", OTHER_PIN), OTHER_ISSUER)

    assert (first.newest().spent[0], second_spent(second)) == (0, 4_00)


def test_a_town_that_has_no_purse_on_the_card_pays_nothing(
    two_towns: Till, first: StageCard, second: StageCard
) -> None:
    shop = Customer(two_towns, first.plug())

    assert refused(lambda: order(shop, Script(), NOWHERE)).code == "PURSE_NOT_OF_TOWN"
    assert codes(two_towns) == []
    assert (first.newest().spent[0], second_spent(second)) == (0, 0)


def test_a_town_that_the_till_has_no_keys_for_pays_nothing(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    shop = Customer(till_of(stage, ISSUER), first.plug())

    assert refused(lambda: order(shop, Script(), OTHER_ISSUER)).code == "PURSE_NOT_OF_TOWN"


def test_a_suspended_purse_is_passed_by_and_named_when_it_is_the_one(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    stage.install(hotlist=(first.purse,))
    till = till_of(stage, ISSUER, OTHER_ISSUER)

    assert order(Customer(till, first.plug()), Script(OTHER_PIN), OTHER_ISSUER).result.goods_are_due
    shop = Customer(till, first.plug())
    assert refused(lambda: order(shop, Script(), ISSUER)).code == "PURSE_HOTLISTED"
    assert second_spent(second) == 4_00


def test_an_open_sale_of_one_town_is_settled_before_the_other_pays(
    two_towns: Till, first: StageCard, second: StageCard
) -> None:
    reader = TearAfter(first.plug(), nth(1, ins=0xDC))
    shop = Customer(two_towns, reader)
    assert refused(lambda: order(shop, Script(), ISSUER)).code == "SALE_UNKNOWN"
    reader.reinsert()

    order(shop, script := Script(OTHER_PIN), OTHER_ISSUER, 1_00)

    assert "RECOVERY_COMMITTED" in script.told
    assert (first.newest().spent[0], second_spent(second)) == (4_00, 1_00)


def test_a_till_of_several_towns_says_whose_voucher_it_is(
    two_towns: Till, first: StageCard, second: StageCard
) -> None:
    said: list[str] = []
    shop = Customer(two_towns, first.plug())
    talk = PlainTalk(said.append, lambda _: True, Script().pin, two_towns.trust, "en",
                     interactive=False)  # fmt: skip
    pay(shop.counter, shop.card, Order((Item(FOOD, Money(100)),)), talk)

    assert "Town (ISTAT code): 018153" in said
