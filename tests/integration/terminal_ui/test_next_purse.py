"""A card with the purses of two towns at the screen: the key that goes on to the other one."""

import pytest

from cardlib.wire.bundle import Programme
from terminal.till import Till
from terminal.ui.steps import UiStep
from tests.integration.terminal.another_town import (
    OTHER_ISSUER,
    OTHER_PIN,
    second_spent,
    till_of,
    with_another_town,
)
from tests.integration.terminal.stage import (
    ISSUER,
    Stage,
    StageCard,
    assert_books,
    codes,
)
from tests.integration.terminal_ui.cashier import at_the_till
from tests.integration.terminal_ui.reader import Reader

FIRST, OTHER = "Buono spesa", "Buono del lago"
KEY = {"en": "Tab  other town", "it": "Tab  altro Comune"}


@pytest.fixture
def first(stage: Stage) -> StageCard:
    return stage.card()


@pytest.fixture
def second(stage: Stage, first: StageCard) -> StageCard:
    """The purse of the other town on the first one's card; the bundle names its programme."""
    added = with_another_town(stage, first)
    stage.install(programmes=(*stage.bundle.programmes, Programme(OTHER_ISSUER, 40, OTHER)))
    return added


@pytest.fixture
def two_towns(stage: Stage, second: StageCard) -> Till:
    """A till of both towns."""
    return till_of(stage, ISSUER, OTHER_ISSUER)


@pytest.mark.parametrize("lang", ["en", "it"])
async def test_the_key_goes_on_to_the_other_town_and_round(
    two_towns: Till, first: StageCard, reader: Reader, lang: str
) -> None:
    async with at_the_till(two_towns, reader, lang) as cashier:
        reader.insert(first)
        for name, hidden in ((FIRST, OTHER), (OTHER, FIRST), (FIRST, OTHER)):
            await cashier.until(UiStep.AMOUNTS)
            assert name in cashier.text
            assert hidden not in cashier.text
            assert KEY[lang] in cashier.text
            await cashier.press("tab")
        await cashier.until(UiStep.AMOUNTS)
    assert codes(two_towns) == []


async def test_what_was_typed_is_paid_from_the_other_town(
    two_towns: Till, first: StageCard, second: StageCard, reader: Reader
) -> None:
    async with at_the_till(two_towns, reader) as cashier:
        reader.insert(first)
        await cashier.until(UiStep.AMOUNTS)
        await cashier.type_amount(5_00)
        await cashier.press("tab")
        await cashier.until(UiStep.AMOUNTS)
        await cashier.press("enter")
        await cashier.until(UiStep.OFFER)
        assert cashier.figure("figure-after") == "20.00"
        await cashier.pay(OTHER_PIN)
        await cashier.until(UiStep.RECEIPT)
    assert (first.newest().spent[0], second_spent(second)) == (0, 5_00)
    assert_books(first, two_towns)


async def test_after_a_wrong_pin_the_chosen_town_is_still_asked(
    two_towns: Till, first: StageCard, second: StageCard, reader: Reader
) -> None:
    async with at_the_till(two_towns, reader) as cashier:
        reader.insert(first)
        await cashier.until(UiStep.AMOUNTS)
        await cashier.press("tab")
        await cashier.to_offer(3_00)
        await cashier.pay("99999")
        await cashier.until_text("left: 2.", "PIN_WRONG")
        await cashier.press(*OTHER_PIN, "enter")
        await cashier.until(UiStep.RECEIPT)
    assert (first.newest().spent[0], second_spent(second)) == (0, 3_00)


async def test_the_next_customer_begins_with_the_first_purse(
    two_towns: Till, first: StageCard, second: StageCard, reader: Reader
) -> None:
    async with at_the_till(two_towns, reader) as cashier:
        reader.insert(first)
        await cashier.until(UiStep.AMOUNTS)
        await cashier.press("tab")
        await cashier.to_offer(3_00)
        await cashier.pay(OTHER_PIN)
        await cashier.until(UiStep.RECEIPT)
        await cashier.press("enter")
        await cashier.until(UiStep.AMOUNTS)
        assert FIRST in cashier.text
        assert "100.00 EUR" in cashier.text


async def test_a_suspended_purse_is_passed_by(
    stage: Stage, first: StageCard, second: StageCard, reader: Reader
) -> None:
    stage.install(hotlist=(first.purse,))
    till = till_of(stage, ISSUER, OTHER_ISSUER)
    async with at_the_till(till, reader) as cashier:
        reader.insert(first)
        await cashier.until(UiStep.NOTICE)
        assert "This card is suspended." in cashier.words
        assert KEY["en"] in cashier.text
        await cashier.press("tab")
        await cashier.to_offer(2_00)
        await cashier.pay(OTHER_PIN)
        await cashier.until(UiStep.RECEIPT)
    assert second_spent(second) == 2_00


async def test_who_says_no_to_one_town_may_pay_from_the_other(
    two_towns: Till, first: StageCard, second: StageCard, reader: Reader
) -> None:
    async with at_the_till(two_towns, reader) as cashier:
        reader.insert(first)
        await cashier.to_offer(2_00)
        await cashier.press("escape")
        await cashier.until(UiStep.NOTICE)
        await cashier.press("tab")
        await cashier.until(UiStep.AMOUNTS)
        assert OTHER in cashier.text


async def test_a_card_with_one_purse_says_so_and_the_key_goes(
    stage: Stage, two_towns: Till, reader: Reader
) -> None:
    async with at_the_till(two_towns, reader) as cashier:
        reader.insert(stage.card(number=3))
        await cashier.until(UiStep.AMOUNTS)
        await cashier.type_amount(5_00)
        assert KEY["en"] in cashier.text
        await cashier.press("tab")
        await cashier.until_text("This card holds no other town's voucher that this shop serves.")
        assert "PURSE_NO_OTHER" in cashier.text
        assert "Tab" not in cashier.text
        assert "5.00 EUR" in cashier.text
        await cashier.press("tab", "enter")
        await cashier.until(UiStep.OFFER)
    assert codes(two_towns) == []


async def test_a_shop_of_one_town_has_no_such_key(stage: Stage, till: Till, reader: Reader) -> None:
    async with at_the_till(till, reader) as cashier:
        reader.insert(stage.card())
        await cashier.until(UiStep.AMOUNTS)
        assert "Tab" not in cashier.text
        await cashier.type_amount(5_00)
        await cashier.press("tab")
        assert cashier.step is UiStep.AMOUNTS


async def test_a_card_that_was_pulled_begins_with_its_first_purse(
    stage: Stage, two_towns: Till, first: StageCard, reader: Reader
) -> None:
    async with at_the_till(two_towns, reader) as cashier:
        reader.insert(first)
        await cashier.until(UiStep.AMOUNTS)
        await cashier.press("tab")
        await cashier.until_text(OTHER)
        reader.pull()
        await cashier.until(UiStep.INSERT)
        reader.insert(first)
        await cashier.until(UiStep.AMOUNTS)
        assert FIRST in cashier.text
