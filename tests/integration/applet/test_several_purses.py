"""Several towns' purses on one applet card: each with its own keys, state and grants."""

import pytest

from cardlib.codec.files import EF_INFO, KeyId
from cardlib.codec.pin import Pin
from cardlib.codec.purse import Suite
from cardlib.errors import AuthenticityError, PurseRefusedError
from cardlib.wire.money import Money
from simulator.card.masks import WHITE_APPLET
from terminal.sale.offer import Item
from terminal.sale.session import SaleSession
from tests.integration.terminal.another_town import (
    OTHER_ISSUER,
    OTHER_PIN,
    second_spent,
    till_of,
    with_another_town,
)
from tests.integration.terminal.stage import (
    FOOD,
    ISSUER,
    PIN,
    Customer,
    Stage,
    StageCard,
)


@pytest.fixture
def first(stage: Stage) -> StageCard:
    return stage.card(mask=WHITE_APPLET)


@pytest.fixture
def second(stage: Stage, first: StageCard) -> StageCard:
    """The same card with another town's purse in B002: 25 EUR, the same grant_seq."""
    return with_another_town(stage, first, suite=Suite.AES_128, mask=WHITE_APPLET)


def pay(sale: SaleSession, cents: int, pin: str) -> bool:
    sale.basket([Item(FOOD, Money(cents))])
    sale.agree(Pin(pin))
    paid = sale.commit().goods_are_due
    sale.finish()
    return paid


def test_a_till_of_two_towns_sells_from_either_purse(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    shop = Customer(till_of(stage, ISSUER, OTHER_ISSUER), first.plug())
    sale = shop.session()
    assert [wallet.balance for wallet in sale.read().wallets] == [Money(100_00)]
    assert pay(sale, 12_50, PIN)
    sale = shop.session()
    sale.read()
    assert [wallet.balance for wallet in sale.next_purse().wallets] == [Money(25_00)]
    assert pay(sale, 5_00, OTHER_PIN)

    assert (first.newest().spent[0], second_spent(second)) == (12_50, 5_00)


def test_a_till_that_serves_the_second_town_only_passes_the_first_by(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    shop = Customer(till_of(stage, OTHER_ISSUER), first.plug())

    sale = shop.session()
    sale.read()
    assert pay(sale, 5_00, OTHER_PIN)

    assert (first.newest().spent[0], second_spent(second)) == (0, 5_00)


def test_a_purse_of_a_newer_kind_does_not_keep_the_card_from_the_other_town(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    set_flag(first, 0x10)
    till = till_of(stage, ISSUER, OTHER_ISSUER)

    sale = Customer(till, first.plug()).session()
    sale.read()
    assert pay(sale, 5_00, OTHER_PIN)

    with pytest.raises(PurseRefusedError, match="PURSE_UNKNOWN_VERSION"):
        Customer(till_of(stage, ISSUER, number=503), first.plug()).session().read()


def test_a_purse_that_answers_with_bad_macs_is_passed_by_wherever_it_lies(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    directory = first.card.memory.find((0x1200, 0xB002))
    assert directory is not None
    directory.keys[KeyId.DEBIT_RESPONSE] = bytes(range(16))
    sale = Customer(till_of(stage, ISSUER, OTHER_ISSUER), first.plug()).session()
    sale.read()
    with pytest.raises(AuthenticityError, match="CARD_MAC_BAD"):
        sale.next_purse()

    assert sale.next_purse().info.issuer == ISSUER


def set_flag(card: StageCard, flag: int) -> None:
    """In EF.INFO of the first purse, byte 12."""
    directory = card.card.memory.find((0x1200, 0xB001))
    assert directory is not None
    info = directory.file(EF_INFO.fid)
    assert info is not None
    content = bytearray(info.content)
    content[12] |= flag
    info.records[0] = bytes(content)
