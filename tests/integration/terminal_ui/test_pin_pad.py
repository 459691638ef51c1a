"""Sales at the screen with a reader that has a keypad."""

from collections.abc import Callable
from threading import Event

import pytest

from cardlib.codec.pin import Pin
from cardlib.connection import CardConnection
from simulator.faults import ResetBefore, nth
from simulator.pin_pad import CANCELS, WAITS, Act, KeypadReader, types
from terminal.till import Till
from terminal.ui.steps import UiStep
from terminal.ui.widgets.pad_dialog import PadDialog
from tests.integration.terminal.stage import PIN, Stage, assert_books, committed
from tests.integration.terminal_ui.cashier import PATIENCE, POLL_S, Cashier, at_the_till
from tests.integration.terminal_ui.reader import Reader

UPDATE = 0xDC


def keypad(*finger: Act) -> Callable[[CardConnection], CardConnection]:
    return lambda connection: KeypadReader(connection, finger)


async def until_asked_where(cashier: Cashier, *parts: str) -> None:
    """Waits for the question where the PIN is typed, for the reason ``parts``."""
    for _ in range(PATIENCE):
        await cashier.pilot.pause(POLL_S)
        if isinstance(cashier.app.screen, PadDialog):
            await cashier.until_text(*parts)
            return
    raise AssertionError(cashier.text)


async def test_the_till_asks_for_no_pin_when_the_reader_can(
    stage: Stage, till: Till, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pin, "__init__", lambda *_: pytest.fail("a PIN was made in the till"))
    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        reader.insert(card, keypad(types(PIN)))
        await cashier.to_offer(12_50)
        await cashier.press("enter")
        await cashier.until(UiStep.RECEIPT)
        assert not cashier.asks_pin
    assert len(committed(till)) == 1
    assert_books(card, till)


async def test_while_the_customer_types_the_screen_says_where(
    stage: Stage, till: Till, reader: Reader
) -> None:
    typed = Event()

    class SlowFinger(KeypadReader):
        def _collect(self, asked: object) -> bytes:
            typed.wait()
            return super()._collect(asked)  # type: ignore[arg-type]

    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        reader.insert(card, lambda inner: SlowFinger(inner, [types(PIN)]))
        await cashier.to_offer(12_50)
        await cashier.press("enter")
        try:
            await cashier.until_text("The customer types the PIN on the reader", "green key")
            assert cashier.step is UiStep.WORKING
        finally:
            typed.set()
        await cashier.until(UiStep.RECEIPT)
    assert_books(card, till)


async def test_a_keypad_that_failed_is_tried_again(
    stage: Stage, till: Till, reader: Reader
) -> None:
    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        reader.insert(card, keypad(WAITS, types("99999"), types(PIN)))
        await cashier.to_offer(12_50)
        await cashier.press("enter")
        await until_asked_where(cashier, "No PIN was typed on the reader in time")
        await cashier.press("enter")
        await until_asked_where(cashier, "Tries left: 2")
        await cashier.press("enter")
        await cashier.until(UiStep.RECEIPT)
    assert len(committed(till)) == 1
    assert_books(card, till)


async def test_the_till_takes_the_pin_only_when_the_cashier_says_so(
    stage: Stage, till: Till, reader: Reader
) -> None:
    card = stage.card()
    async with at_the_till(till, reader, "it") as cashier:
        reader.insert(card, keypad(CANCELS))
        await cashier.to_offer(12_50)
        await cashier.press("enter")
        await until_asked_where(cashier, "tasto rosso", "F3 alla cassa")
        await cashier.press("f3")
        await cashier.until_pin()
        await cashier.press(*PIN, "enter")
        await cashier.until(UiStep.RECEIPT)
    assert_books(card, till)


async def test_a_customer_who_pressed_the_red_key_may_leave(
    stage: Stage, till: Till, reader: Reader
) -> None:
    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        reader.insert(card, keypad(CANCELS))
        await cashier.to_offer(12_50)
        await cashier.press("enter")
        await until_asked_where(cashier, "red key")
        await cashier.press("escape")
        await cashier.until(UiStep.OFFER)
        await cashier.press("escape")
        await cashier.until(UiStep.NOTICE)
    assert committed(till) == []
    assert card.newest().spent[0] == 0


async def test_the_same_debit_again_is_typed_on_the_reader_too(
    stage: Stage, till: Till, reader: Reader
) -> None:
    card = stage.card()
    pads: list[KeypadReader] = []

    def plugged(inner: CardConnection) -> CardConnection:
        pads.append(KeypadReader(ResetBefore(inner, nth(1, UPDATE)), [types(PIN), types(PIN)]))
        return pads[-1]

    async with at_the_till(till, reader) as cashier:
        reader.insert(card, plugged)
        await cashier.to_offer(12_50)
        await cashier.press("enter")
        await cashier.until(UiStep.NOT_DEBITED)
        await cashier.press("enter")
        await until_asked_where(cashier, "The customer types the PIN on the reader")
        await cashier.press("enter")
        await cashier.until(UiStep.RECEIPT)
    assert pads[-1].asked == 2
    assert_books(card, till)
