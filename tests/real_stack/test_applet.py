"""Applet card and legacy chip through the real pcscd: the bytes are those of the process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cardlib import pcsc
from cardlib.codec.purse import FLAG_PIN_ENFORCED
from cardlib.connection import CardConnection
from cardlib.trace import Exchange
from cardlib.wire.bundle import Limits
from simulator.card.masks import WHITE_APPLET, WHITE_LEGACY
from tests.integration.terminal.stage import Customer, Stage, StageCard, assert_books
from tests.real_stack.pcscd import Insert

pytestmark = pytest.mark.pcsc


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    with made.open_tills:
        yield made


def second_sale(stage: Stage, card: StageCard, connection: CardConnection) -> list[Exchange]:
    """The trace of a sale of a wallet that the till has met."""
    till = stage.till()
    shop = Customer(till, connection)
    assert shop.buy(1_00).goods_are_due
    shop.trace.clear()
    assert shop.buy(12_50).goods_are_due
    assert_books(card, till)
    return shop.trace


def test_a_sale_on_an_applet_card_is_four_commands_and_160_bytes(
    stage: Stage, insert: Insert
) -> None:
    card = stage.card(mask=WHITE_APPLET)
    insert(card.card)
    connection = pcsc.connect()

    trace = second_sale(stage, card, connection)
    connection.close()

    assert (len(trace), sum(item.size for item in trace)) == (4, 160)


def test_a_sale_on_a_legacy_chip_is_ten_commands_and_452_bytes(
    stage: Stage, insert: Insert
) -> None:
    stage.install(limits=Limits(legacy_sale_cents=20_00))
    card = stage.card(mask=WHITE_LEGACY, flags=FLAG_PIN_ENFORCED)
    insert(card.card)
    connection = pcsc.connect()

    trace = second_sale(stage, card, connection)
    connection.close()

    assert (len(trace), sum(item.size for item in trace)) == (10, 452)
