"""The card torn out in the middle, parked, put back, tried again: nothing lost, nothing doubled."""

from itertools import product

import pytest

from cardlib.connection import CardConnection
from cardlib.wire.entry_body import How, NotApplied, NotAppliedCode, Unresolved
from simulator.faults import HeldBack, Slow, TearAfter, TearBefore, every, nth
from terminal.till import Till
from terminal.ui.steps import UiStep
from tests.cases import chosen
from tests.integration.terminal.stage import Stage, StageCard, assert_books, committed
from tests.integration.terminal_ui.cashier import Cashier, at_the_till
from tests.integration.terminal_ui.reader import Reader

SOME_CASES = 6

UPDATE, VERIFY = 0xDC, 0x20
COMMANDS_OF_A_SALE = 10


def torn_after_update(inner: CardConnection) -> CardConnection:
    return TearAfter(inner, every(UPDATE))


def torn_before_update(inner: CardConnection) -> CardConnection:
    return TearBefore(inner, every(UPDATE))


async def to_unknown(cashier: Cashier, reader: Reader, card: StageCard) -> None:
    """A sale of 12.50 whose card is torn out right after it was debited."""
    reader.insert(card, torn_after_update)
    await cashier.to_offer(12_50)
    await cashier.pay()
    await cashier.until(UiStep.UNKNOWN)


async def test_torn_after_the_debit_and_put_back(stage: Stage, till: Till, reader: Reader) -> None:
    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        await to_unknown(cashier, reader, card)
        assert "it is not known yet whether the card was debited" in cashier.words
        assert "Hand nothing over yet" in cashier.words
        assert "12.50 EUR" in cashier.text
        reader.insert(card)
        await cashier.until(UiStep.RECEIPT)
        assert "the sale holds" in cashier.words
        assert "Confirmed later" in cashier.text
    assert [done.how for done in committed(till)] == [How.RECOVERED]
    assert_books(card, till)


async def test_torn_before_the_debit_and_tried_again(
    stage: Stage, till: Till, reader: Reader
) -> None:
    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        reader.insert(card, torn_before_update)
        await cashier.to_offer(12_50)
        await cashier.pay()
        await cashier.until(UiStep.UNKNOWN)
        reader.insert(card)
        await cashier.until(UiStep.NOT_DEBITED)
        assert "nothing was taken" in cashier.words
        await cashier.pay("99999")
        await cashier.until(UiStep.NOT_DEBITED)
        assert "left: 2." in cashier.words
        await cashier.pay()
        await cashier.until(UiStep.RECEIPT)
    assert [done.how for done in committed(till)] == [How.RETRY]
    assert card.newest().spent[0] == 12_50
    assert_books(card, till)


async def test_not_debited_and_given_up(stage: Stage, till: Till, reader: Reader) -> None:
    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        reader.insert(card, lambda inner: HeldBack(inner, nth(1, UPDATE)))
        await cashier.to_offer(12_50)
        await cashier.pay()
        await cashier.until(UiStep.NOT_DEBITED)
        await cashier.press("escape")
        await cashier.until(UiStep.NOTICE)
        assert "nothing was taken from the card" in cashier.text
    last = till.journal.views.newest(1)[0].decode().body
    assert isinstance(last, NotApplied)
    assert last.code is NotAppliedCode.DECLINED
    assert_books(card, till)


async def test_parked_and_the_next_customer_served_and_settled_when_it_comes_back(
    stage: Stage, till: Till, reader: Reader
) -> None:
    card, next_card = stage.card(), stage.card(number=2)
    async with at_the_till(till, reader) as cashier:
        await to_unknown(cashier, reader, card)
        await cashier.press("f8")
        await cashier.until_text("Has the customer gone?")
        await cashier.press("escape")  # not yet
        await cashier.until(UiStep.UNKNOWN)
        await cashier.press("f8")
        await cashier.until_text("Has the customer gone?")
        await cashier.press("enter")
        await cashier.until(UiStep.INSERT)
        assert "The case is set aside" in cashier.words
        assert "PARKED" in cashier.text
        reader.insert(next_card)
        await cashier.to_offer(3_00)
        await cashier.pay()
        await cashier.until(UiStep.RECEIPT)
        reader.insert(card)
        await cashier.until_text("the sale holds", "Receipt no. 2")
        await cashier.until(UiStep.RECEIPT)
        await cashier.press("enter")
        await cashier.until(UiStep.AMOUNTS)
        assert "87.50 EUR" in cashier.text
    bodies = [item.decode().body for item in till.journal.views.entries()]
    assert [type(body) for body in bodies].count(Unresolved) == 1
    assert_books(card, till)
    assert_books(next_card, till)


async def test_another_card_in_between_changes_nothing(
    stage: Stage, till: Till, reader: Reader
) -> None:
    card, stranger = stage.card(), stage.card(number=2)
    async with at_the_till(till, reader) as cashier:
        await to_unknown(cashier, reader, card)
        reader.insert(stranger)
        await cashier.until_text("RECOVERY_WRONG_CARD")
        assert cashier.step is UiStep.UNKNOWN
        reader.insert(card)
        await cashier.until(UiStep.RECEIPT)
    assert stranger.newest().spent[0] == 0
    assert_books(card, till)


async def test_closed_in_mid_sale_and_found_at_the_next_start(stage: Stage, reader: Reader) -> None:
    card, stranger = stage.card(), stage.card(number=2)
    with stage.till() as till:
        async with at_the_till(till, reader) as cashier:
            await to_unknown(cashier, reader, card)
            await cashier.press("ctrl+q")
    with stage.till() as till:
        async with at_the_till(till, reader) as cashier:
            await cashier.until(UiStep.UNKNOWN)
            assert "12.50 EUR" in cashier.text
            reader.insert(stranger)
            await cashier.until_text("RECOVERY_WRONG_CARD")
            reader.insert(card)
            await cashier.until(UiStep.RECEIPT)
            assert "Confirmed later" in cashier.text
        assert_books(card, till)


async def test_open_at_the_start_can_be_parked(stage: Stage, reader: Reader) -> None:
    card = stage.card()
    with stage.till() as till:
        async with at_the_till(till, reader) as cashier:
            await to_unknown(cashier, reader, card)
    with stage.till() as till:
        async with at_the_till(till, reader) as cashier:
            await cashier.until(UiStep.UNKNOWN)
            await cashier.press("f8")
            await cashier.until_text("Has the customer gone?")
            await cashier.press("enter")
            await cashier.until(UiStep.INSERT)
        assert till.journal.views.open_intent() is None
        assert_books(card, till)


async def test_closing_while_the_card_works_waits_for_the_card(
    stage: Stage, till: Till, reader: Reader
) -> None:
    card = stage.card()
    waited: list[float] = []
    async with at_the_till(till, reader) as cashier:
        reader.insert(card, lambda inner: Slow(inner, every(UPDATE), 1, waited.append))
        await cashier.to_offer(12_50)
        await cashier.pay()
        cashier.app.exit()
    assert waited == [1]
    assert till.journal.views.open_intent() is None
    assert len(committed(till)) == 1
    assert_books(card, till)


SALE = range(1, COMMANDS_OF_A_SALE + 1)


@pytest.mark.parametrize(
    ("tear", "command"),
    chosen(
        product((TearBefore, TearAfter), SALE),
        [*product([TearBefore], SALE), *product([TearAfter], SALE[-3:])],
    ),
)
async def test_pulled_at_any_command_and_put_back_ends_well(
    stage: Stage,
    till: Till,
    reader: Reader,
    tear: type[TearBefore] | type[TearAfter],
    command: int,
) -> None:
    """Whether a command was carried out is seen by the next: only the last three change money.

    tests/integration/terminal/test_tears.py tears both ways at each, without the screens.
    """
    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        reader.insert(card, lambda inner: tear(inner, nth(command)))
        for _ in range(12):
            await cashier.until(*UiStep)
            match cashier.step:
                case UiStep.INSERT:
                    reader.insert(card)
                    await cashier.until(UiStep.AMOUNTS)
                case UiStep.AMOUNTS if cashier.screen.view.amounts.entry.items:
                    await cashier.press("enter")
                case UiStep.AMOUNTS:
                    await cashier.type_amount(12_50)
                case UiStep.OFFER | UiStep.NOT_DEBITED:
                    await cashier.pay()
                case UiStep.UNKNOWN:
                    reader.insert(card)
                    await cashier.until(UiStep.RECEIPT, UiStep.NOT_DEBITED)
                case _:
                    break
            assert cashier.asks_pin is False
        assert cashier.step is UiStep.RECEIPT
    assert len(committed(till)) == 1
    assert card.newest().spent[0] == 12_50
    assert_books(card, till)
