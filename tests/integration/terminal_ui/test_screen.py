"""How it looks, by mouse, and that it never stands still."""

import threading

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.widgets import Button

from simulator.faults import Slow, TearAfter, every, nth
from terminal.till import Till
from terminal.ui.steps import UiStep
from terminal.ui.widgets.keypad import Keypad
from tests.integration.terminal.stage import PIN, Stage, assert_books
from tests.integration.terminal_ui.cashier import Cashier, at_the_till
from tests.integration.terminal_ui.reader import Reader
from tests.pictures.svg import svg_of

UPDATE = 0xDC
APDU_S = 30.0


class Svg(SingleFileSnapshotExtension):
    """A screen a file, to be looked at in any browser."""

    _write_mode = WriteMode.TEXT
    file_extension = "svg"


@pytest.fixture
def picture(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Svg)


async def test_pictures_of_a_sale(
    stage: Stage, till: Till, reader: Reader, picture: SnapshotAssertion
) -> None:
    async with at_the_till(till, reader) as cashier:
        await cashier.until_text("No card in the reader")
        assert svg_of(cashier.app) == picture(name="insert")
        reader.insert(stage.card())
        await cashier.until(UiStep.AMOUNTS)
        await cashier.type_amount(12_50)
        await cashier.press("f2", "7")
        await cashier.until(UiStep.AMOUNTS)
        assert svg_of(cashier.app) == picture(name="amounts")


async def test_pictures_of_what_follows_a_debit(
    stage: Stage, till: Till, reader: Reader, picture: SnapshotAssertion
) -> None:
    card = stage.card()
    async with at_the_till(till, reader, "it") as cashier:
        reader.insert(card, lambda inner: TearAfter(inner, every(UPDATE)))
        await cashier.to_offer(12_50)
        await cashier.pay()
        await cashier.until_text("Nessuna carta", "CARD_GONE")
        await cashier.until(UiStep.UNKNOWN)
        assert svg_of(cashier.app) == picture(name="unknown")
        reader.insert(card)
        await cashier.until_text("Carta inserita", "1 vendita")
        await cashier.until(UiStep.RECEIPT)
        assert svg_of(cashier.app) == picture(name="receipt")


async def click_key(cashier: Cashier, face: str) -> None:
    """Presses a key of the pad in view."""
    keys = cashier.app.screen.query_one(Keypad).query(Button)
    await cashier.pilot.click(next(key for key in keys if str(key.label) == face))


async def click_bar(cashier: Cashier, number: int = 0) -> None:
    """Presses a button of the lowest lines."""
    await cashier.pilot.click(list(cashier.screen.query("KeyBar Button"))[number])


async def test_a_sale_by_mouse_alone(stage: Stage, till: Till, reader: Reader) -> None:
    card = stage.card()
    async with at_the_till(till, reader) as cashier:
        reader.insert(card)
        await cashier.until(UiStep.AMOUNTS)
        for face in "12509":
            await click_key(cashier, face)
        await click_key(cashier, "←")
        await click_key(cashier, "↵")
        await click_bar(cashier)
        await cashier.until(UiStep.OFFER)
        await click_bar(cashier)
        await cashier.until_pin()
        await cashier.pilot.pause(0.1)
        for face in PIN:
            await click_key(cashier, face)
        await click_key(cashier, "↵")
        await cashier.until(UiStep.RECEIPT)
    assert card.newest().spent[0] == 12_50
    assert_books(card, till)


async def test_a_slow_card_never_stops_the_screen(stage: Stage, till: Till, reader: Reader) -> None:
    """The card answers only once the keys were taken: a screen that waited would time out."""
    card = stage.card()
    keys_taken, answered = threading.Event(), threading.Event()

    def wait(_seconds: float) -> None:
        keys_taken.wait(APDU_S)
        answered.set()

    async with at_the_till(till, reader) as cashier:
        await cashier.until(UiStep.INSERT)
        reader.insert(card, lambda inner: Slow(inner, nth(2), APDU_S, wait))
        await cashier.until_text("One moment", "Reading the card")
        for _ in range(20):
            await cashier.pilot.press("enter", "5", "escape")
        assert not answered.is_set()
        keys_taken.set()
        await cashier.until(UiStep.AMOUNTS)
