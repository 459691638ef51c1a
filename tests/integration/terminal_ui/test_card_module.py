"""A module card behind the screen: its quota used up, itself taken out and put back."""

from dataclasses import replace

from terminal.ui.steps import UiStep
from tests.integration.terminal.stage import Stage, assert_books
from tests.integration.terminal.test_card_module import plugged, till_with
from tests.integration.terminal_ui.cashier import at_the_till
from tests.integration.terminal_ui.reader import Reader
from tests.module_cards import MANY


async def test_a_used_up_quota_is_said_and_nothing_is_taken(stage: Stage, reader: Reader) -> None:
    card, slot = stage.card(), plugged(stage, replace(MANY, cents_max=10_00))
    till = till_with(stage, slot)
    async with at_the_till(till, reader) as cashier:
        reader.insert(card)
        await cashier.to_offer(12_50)
        await cashier.pay()
        await cashier.until_text("synchronise the till")
        assert card.newest().ctr == 0
        assert till.journal.views.open_intent() is None
    assert_books(card, till)


async def test_a_module_that_is_not_there_is_said_and_the_next_customer_pays(
    stage: Stage, reader: Reader
) -> None:
    card, slot = stage.card(), plugged(stage)
    till = till_with(stage, slot)
    slot.away = True
    async with at_the_till(till, reader) as cashier:
        reader.insert(card)
        await cashier.until_text("security module is not in its reader")
        slot.put_back()
        reader.pull()
        await cashier.until(UiStep.INSERT)
        reader.insert(card)
        await cashier.to_offer(12_50)
        await cashier.pay()
        await cashier.until(UiStep.RECEIPT)
    assert card.newest().ctr == 1
    assert_books(card, till)


async def test_a_module_pulled_after_the_debit_is_settled_once_it_is_back(
    stage: Stage, reader: Reader
) -> None:
    """Nobody could confirm the debit: the case stays on the screen until the card is read."""
    card, slot = stage.card(), plugged(stage)
    till = till_with(stage, slot)
    async with at_the_till(till, reader) as cashier:
        reader.insert(card)
        await cashier.to_offer(12_50)
        slot.pull_at = 6  # grant_seen, intent (2 blocks each), record, UPDATE; CONFIRM is pulled
        await cashier.pay()
        await cashier.until(UiStep.UNKNOWN)
        assert card.newest().ctr == 1
        slot.put_back()
        await cashier.press("enter")
        await cashier.until(UiStep.RECEIPT)
    assert till.journal.views.open_intent() is None
    assert_books(card, till)
