"""The virtual reader of pcscd has no keypad, and says so: the till then asks on the screen.

So a keypad itself can only be played (``simulator.pin_pad``), not had, on this stack.
"""

from pathlib import Path

import pytest

from cardlib import pcsc
from cardlib.channel import Channel
from cardlib.codec.pin_pad import Feature
from cardlib.connection import CardConnection
from cardlib.dialogues.inspect import inspect_card
from cardlib.pin_pad import ask_reader, find_pin_pad
from simulator.private_pcscd import PrivatePcscd
from terminal.ui.steps import UiStep
from tests.integration.terminal.stage import Stage, assert_books, committed
from tests.integration.terminal_ui.cashier import at_the_till
from tests.integration.terminal_ui.reader import Reader
from tests.real_stack.pcscd import Insert

pytestmark = pytest.mark.pcsc


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


class RealReader(Reader):
    """The slot of the real service in place of a test's own."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def open(self) -> CardConnection:
        return pcsc.connect(self._name)


def test_the_virtual_reader_offers_no_pin_entry_and_goes_on_working(
    stage: Stage, insert: Insert
) -> None:
    insert(stage.card().card)
    connection = pcsc.connect("Virtual PCD")
    told = ask_reader(connection)
    assert told is None or Feature.VERIFY_PIN_DIRECT not in told.features
    assert find_pin_pad(connection) is None
    assert Channel(connection).run(inspect_card()).purses, "the question broke the connection"
    connection.close()


async def test_without_a_keypad_the_till_asks_on_the_screen(
    stage: Stage, insert: Insert, pcscd: PrivatePcscd
) -> None:
    card = stage.card()
    insert(card.card)
    with stage.open_tills:
        till = stage.till()
        async with at_the_till(till, RealReader(pcscd.reader_name(0))) as cashier:
            await cashier.to_offer(12_50)
            await cashier.pay()
            await cashier.until(UiStep.RECEIPT)
        assert len(committed(till)) == 1
        assert_books(card, till)
