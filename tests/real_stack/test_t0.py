"""The fictitious T=0 card through pcscd: a sale, and a card session that makes and loads a purse.

vpcd hands T=0 commands on as they are sent, so that what a real T=0 reader would refuse is
refused by the virtual card.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.adapters.engine import open_engine, sqlite_url
from backend.adapters.migrate import migrate
from backend.domain.ledger import AccountKind
from cardlib import pcsc
from cardlib.channel import Channel
from cardlib.codec.atr import TransmissionProtocol
from simulator.card.masks import GENERIC_T0
from terminal.sale.states import State
from tests.integration.card_sessions.bench import Town
from tests.integration.terminal.stage import Customer, Stage, assert_books
from tests.real_stack.pcscd import Insert

pytestmark = pytest.mark.pcsc


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    with made.open_tills:
        yield made


def test_a_sale_on_t0_is_the_same_here_and_through_pcscd(stage: Stage, insert: Insert) -> None:
    here = Customer(stage.till(501), stage.card(number=1, mask=GENERIC_T0).plug())
    assert here.buy(12_50).state is State.CLOSED
    card, till = stage.card(number=2, mask=GENERIC_T0), stage.till(502)
    insert(card.card)
    connection = pcsc.connect()
    assert Channel(connection).transport.protocol is TransmissionProtocol.T0
    there = Customer(till, connection)
    assert there.buy(12_50).state is State.CLOSED
    connection.close()

    assert [(item.name, item.size) for item in there.trace] == [
        (item.name, item.size) for item in here.trace
    ]
    assert "GET RESPONSE" in [item.name for item in there.trace]
    assert_books(card, till)


def test_a_t0_card_gets_its_purse_and_its_money_through_pcscd(
    tmp_path: Path, insert: Insert
) -> None:
    engine = open_engine(sqlite_url(tmp_path / "backend.sqlite"))
    migrate(engine)
    town = Town(engine)
    card = town.stock_card(GENERIC_T0)
    insert(card.card)
    connection = pcsc.connect()
    line = Channel(connection)

    assert town.personalise(card, line).outcome == "PURSE_MADE"
    town.order(card, 50_00)
    assert town.load(card, line).outcome == "LOAD_DONE"

    connection.close()
    assert town.balance(AccountKind.ON_CARD) == 50_00
    town.check_books()
    engine.dispose()
