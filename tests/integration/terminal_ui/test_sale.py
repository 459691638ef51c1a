"""A sale at the screen, from the card to the receipt: keys in, words and journal out."""

from datetime import date

import pytest

from cardlib.connection import CardConnection
from cardlib.errors import ReaderMissingError
from cardlib.wire.entry_body import How, Intent
from simulator.faults import ResetBefore, nth
from terminal.till import Till
from terminal.ui.app import TillApp
from terminal.ui.steps import UiStep
from tests.integration.terminal.stage import (
    HYGIENE,
    MEDICINE,
    PIN,
    Stage,
    WalletSpec,
    assert_books,
    committed,
)
from tests.integration.terminal_ui.cashier import POLL_S, SIZE, Cashier, at_the_till
from tests.integration.terminal_ui.reader import Reader

TWO_WALLETS = (
    WalletSpec(granted=80_00),
    WalletSpec(
        slot=2,
        grant_seq=2,
        granted=15_50,
        categories=(HYGIENE, MEDICINE),
        valid_to=date(2026, 10, 31),
    ),
)
VERIFY = 0x20


def kinds(till: Till) -> list[str]:
    """Names of the entries in the journal."""
    return [type(item.decode().body).__name__ for item in till.journal.views.entries()]


async def test_a_sale_from_card_to_receipt(stage: Stage, till: Till, reader: Reader) -> None:
    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        await cashier.until(UiStep.INSERT)
        assert "Insert the card" in cashier.text
        assert "No card in the reader" in cashier.text
        reader.insert(card)
        await cashier.until(UiStep.AMOUNTS)
        assert "Card in the reader" in cashier.text
        assert "Buono spesa" in cashier.text
        assert "100.00 EUR" in cashier.text
        assert "31/12/2026" in cashier.text
        await cashier.press("1", "2", "5", "0")
        assert cashier.figure("typed") == "12.50"
        await cashier.press("enter", "enter")
        await cashier.until(UiStep.OFFER)
        assert cashier.figure("figure-before") == "100.00"
        assert cashier.figure("figure-pays") == "12.50"
        assert cashier.figure("figure-after") == "87.50"
        assert cashier.figure("figure-cash") == "0.00"
        await cashier.pay()
        await cashier.until(UiStep.RECEIPT)
        assert "take the card out" in cashier.text
        assert "Receipt no. 1" in cashier.text
        assert "1 sale to send" in cashier.text
        reader.pull()
        await cashier.until_text("The card was taken out", "Receipt no. 1")
        await cashier.press("enter")
        await cashier.until(UiStep.INSERT)
    assert kinds(till) == ["GrantSeen", "Intent", "Committed"]
    assert committed(till)[0].how is How.DIRECT
    assert card.newest().spent[0] == 12_50
    assert_books(card, till)


async def test_the_same_in_italian(stage: Stage, till: Till, reader: Reader) -> None:
    card = stage.card()
    async with at_the_till(till, reader, "it") as cashier:
        await cashier.until_text("Inserire la carta", "Nessuna carta")
        reader.insert(card)
        await cashier.to_offer(12_50)
        assert "Il cliente è d'accordo?" in cashier.text
        assert cashier.figure("figure-pays") == "12,50"
        await cashier.pay()
        await cashier.until(UiStep.RECEIPT)
        assert "Ricevuta n. 1" in cashier.text
        assert "1 vendita da inviare" in cashier.text


async def test_what_remains_is_shown_with_its_reason(
    stage: Stage, till: Till, reader: Reader
) -> None:
    card = stage.card(*TWO_WALLETS)
    async with at_the_till(till, reader) as cashier:
        reader.insert(card)
        await cashier.until(UiStep.AMOUNTS)
        await cashier.type_amount(12_50)
        await cashier.press("f2")
        await cashier.type_amount(18_40)
        await cashier.press("f4")
        await cashier.type_amount(3_20)
        await cashier.press("enter")
        await cashier.until(UiStep.OFFER)
        assert cashier.figure("figure-pays") == "28.00"
        assert cashier.figure("figure-cash") == "6.10"
        assert "hygiene: The voucher does not cover everything: 2.90 EUR" in cashier.words
        assert "BALANCE_TOO_LOW" in cashier.text
        await cashier.pay()
        await cashier.until(UiStep.RECEIPT)
    intent = next(
        body for item in till.journal.views.entries()
        if isinstance(body := item.decode().body, Intent)
    )  # fmt: skip
    assert intent.other_cents == 6_10
    assert card.newest().spent[:2] == (12_50, 15_50)


async def test_a_wrong_pin_shows_the_tries_left_and_asks_again(
    stage: Stage, till: Till, reader: Reader
) -> None:
    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        reader.insert(card)
        await cashier.to_offer(12_50)
        await cashier.pay("99999")
        await cashier.until_text("left: 2.", "PIN_WRONG")
        await cashier.press(*"88888", "enter")
        await cashier.until_text("left: 1.", "PIN_WRONG")
        await cashier.press(*PIN, "enter")
        await cashier.until(UiStep.RECEIPT)
    assert kinds(till) == ["GrantSeen", "Intent", "Committed"]
    assert_books(card, till)


async def test_a_pin_that_gets_blocked_sends_to_the_desk(
    stage: Stage, till: Till, reader: Reader
) -> None:
    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        reader.insert(card)
        await cashier.to_offer(12_50)
        await cashier.press("enter")
        for _ in range(3):
            await cashier.until_pin()
            await cashier.press(*"99999", "enter")
        await cashier.until(UiStep.NOTICE)
        assert "The PIN is blocked. The municipal desk can unblock it" in cashier.words
        assert "PIN_BLOCKED" in cashier.text
    assert kinds(till) == []
    assert card.newest().spent[0] == 0


async def test_the_pin_is_never_on_the_screen_nor_kept(
    stage: Stage, till: Till, reader: Reader
) -> None:
    async with at_the_till(till, reader) as cashier:
        reader.insert(stage.card())
        await cashier.to_offer(12_50)
        await cashier.press("enter")
        await cashier.until_pin()
        dialog = cashier.app.screen
        await cashier.press(*PIN)
        assert "● ● ● ● ● · · ·" in cashier.text
        assert PIN not in cashier.app.export_screenshot()
        await cashier.press("enter")
        await cashier.until(UiStep.RECEIPT)
        assert all(PIN not in str(value) for value in vars(dialog).values())


async def test_too_short_a_pin_never_reaches_the_card(
    stage: Stage, till: Till, reader: Reader
) -> None:
    async with at_the_till(till, reader) as cashier:
        reader.insert(stage.card())
        await cashier.to_offer(12_50)
        await cashier.pay("12")
        await cashier.until_text("5 to 8 digits")
        await cashier.press(*PIN, "enter")  # all tries are still there
        await cashier.until(UiStep.RECEIPT)


async def test_the_customer_declines(stage: Stage, till: Till, reader: Reader) -> None:
    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        reader.insert(card)
        await cashier.to_offer(12_50)
        await cashier.press("escape")
        await cashier.until(UiStep.NOTICE)
        assert "nothing was taken from the card" in cashier.text
        reader.pull()
        await cashier.until(UiStep.INSERT)
    assert kinds(till) == []
    assert card.newest().spent[0] == 0


async def test_amounts_can_be_changed_after_the_offer(
    stage: Stage, till: Till, reader: Reader
) -> None:
    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        reader.insert(card)
        await cashier.to_offer(12_50)
        await cashier.press("f2")
        await cashier.until(UiStep.AMOUNTS)
        await cashier.press("backspace")  # takes the last amount back
        await cashier.type_amount(3_00)
        await cashier.press("enter")
        await cashier.until(UiStep.OFFER)
        await cashier.pay()
        await cashier.until(UiStep.RECEIPT)
    assert card.newest().spent[0] == 3_00


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (("0", "enter"), "The amount must be above zero"),
        (("enter",), "Type an amount for a category that a voucher pays"),
        (("f2", "5", "enter", "enter"), "There is no voucher for this category"),
    ],
)
async def test_amounts_that_cannot_be_are_refused_in_words(
    stage: Stage, till: Till, reader: Reader, typed: tuple[str, ...], sentence: str
) -> None:
    async with at_the_till(till, reader) as cashier:
        reader.insert(stage.card())
        await cashier.until(UiStep.AMOUNTS)
        await cashier.press(*typed)
        await cashier.until_text(sentence)
        await cashier.press("backspace", "f1")
        await cashier.to_offer(1_00)


async def test_a_card_without_a_purse(till: Till, reader: Reader) -> None:
    from simulator.card.card import VirtualCard
    from simulator.card.masks import TRAINING_TRANSPORT_KEYS, WHITE, make_card
    from simulator.card.personal import Holder
    from simulator.card.randomness import SeededRandomness
    from simulator.connection import InProcessConnection

    blank = make_card(WHITE, SeededRandomness("blank"), Holder(), TRAINING_TRANSPORT_KEYS)
    chip = VirtualCard(blank, SeededRandomness("chip"))
    chip.power_on()
    reader.insert_connection(lambda: InProcessConnection(chip))
    async with at_the_till(till, reader) as cashier:
        await cashier.until(UiStep.NOTICE)
        assert "There is no voucher on this card. The municipal desk can prepare it." in (
            cashier.words
        )
        assert "PURSE_MISSING" in cashier.text
    assert kinds(till) == []


async def test_a_suspended_card_leaves_an_entry(stage: Stage, reader: Reader) -> None:
    card = stage.card()
    stage.install(hotlist=(card.purse,))
    till = stage.till()
    async with at_the_till(till, reader) as cashier:
        reader.insert(card)
        await cashier.until(UiStep.NOTICE)
        assert "This card is suspended. Please ask at the municipal desk." in cashier.words
    assert kinds(till) == ["Declined"]


async def test_no_reader_is_said_until_there_is_one(till: Till) -> None:
    def no_reader() -> CardConnection:
        raise ReaderMissingError(reader="")

    app = TillApp(till, no_reader, "en", poll_s=POLL_S)
    async with app.run_test(size=SIZE) as pilot:
        cashier = Cashier(app, pilot, Reader())
        await cashier.until_text("No card reader was found. Plug in a reader.", "READER_MISSING")
        assert "No reader" in cashier.text


async def test_keys_pressed_twice_do_nothing_twice(
    stage: Stage, till: Till, reader: Reader
) -> None:
    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        reader.insert(card)
        await cashier.until(UiStep.AMOUNTS)
        await cashier.type_amount(12_50)
        cashier.hurry()
        await cashier.press("enter", "enter", "escape", "enter")
        await cashier.until_text("Does the customer agree?")
        await cashier.press("enter", "escape", "enter")
        assert not cashier.asks_pin  # no answer is taken from a hand that was too fast
        cashier.take_time()
        await cashier.until(UiStep.OFFER)
        await cashier.press("enter")
        await cashier.until_pin()
        cashier.hurry()
        await cashier.press(*PIN, "enter", "enter", "enter", "escape")
        await cashier.until_text("Receipt no. 1")
        await cashier.press("enter", "enter", "escape")
        await cashier.until_text("Receipt no. 1")
    assert kinds(till) == ["GrantSeen", "Intent", "Committed"]


async def test_a_card_left_in_serves_again_on_a_key(
    stage: Stage, till: Till, reader: Reader
) -> None:
    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        reader.insert(card)
        for number in (1, 2):
            await cashier.to_offer(10_00)
            await cashier.pay()
            await cashier.until(UiStep.RECEIPT)
            assert f"Receipt no. {number}" in cashier.text
            await cashier.press("enter")
        await cashier.until(UiStep.AMOUNTS)
        assert "80.00 EUR" in cashier.text
    assert_books(card, till)


async def test_amounts_are_kept_for_the_card_that_was_pulled_and_put_back(
    stage: Stage, till: Till, reader: Reader
) -> None:
    card, another = stage.card(), stage.card(number=2)
    async with at_the_till(till, reader) as cashier:
        reader.insert(card)
        await cashier.until(UiStep.AMOUNTS)
        await cashier.type_amount(12_50)
        reader.pull()
        await cashier.until(UiStep.INSERT)
        assert "The card was taken out or stopped answering." in cashier.words
        reader.insert(card)
        await cashier.until(UiStep.AMOUNTS)
        assert "12.50 EUR" in cashier.text
        reader.pull()
        await cashier.until(UiStep.INSERT)
        reader.insert(another)
        await cashier.until(UiStep.AMOUNTS)
        assert "12.50 EUR" not in cashier.text


async def test_a_card_pulled_while_the_pin_is_typed(
    stage: Stage, till: Till, reader: Reader
) -> None:
    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        reader.insert(card)
        await cashier.to_offer(12_50)
        await cashier.press("enter")
        await cashier.until_pin()
        await cashier.press(*PIN[:3])
        reader.pull()
        await cashier.until(UiStep.INSERT)
        assert not cashier.asks_pin
        reader.insert(card)
        await cashier.until(UiStep.AMOUNTS)
        await cashier.press("enter")
        await cashier.until(UiStep.OFFER)
        await cashier.pay()
        await cashier.until(UiStep.RECEIPT)
    assert_books(card, till)


async def test_after_a_reset_the_agreement_stands_and_the_pin_is_asked_again(
    stage: Stage, till: Till, reader: Reader
) -> None:
    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        reader.insert(card, lambda inner: ResetBefore(inner, nth(1, VERIFY)))
        await cashier.to_offer(12_50)
        await cashier.pay()
        await cashier.until_text("The card was reset; what was", "CARD_RESET")
        await cashier.press(*PIN, "enter")
        await cashier.until(UiStep.RECEIPT)
    assert_books(card, till)


async def test_the_countdown_stands_in_words(stage: Stage, reader: Reader) -> None:
    from cardlib.wire.bundle import Limits

    stage.install(limits=Limits(offline_days_warn=3, offline_days_stop=7))
    till = stage.till()
    stage.clock.sleep(4 * 86_400)
    async with at_the_till(till, reader) as cashier:
        await cashier.until_text("3 days left offline")
        assert cashier.screen.view.status.has_class("warn")
        stage.clock.sleep(4 * 86_400)
        await cashier.until_text("0 days left offline")
        reader.insert(stage.card())
        await cashier.until(UiStep.NOTICE)
        assert "OFFLINE_TOO_LONG" in cashier.text
