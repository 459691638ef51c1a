"""A new version of the service comes while cards are being loaded, renewed and made."""

import pytest
from sqlalchemy import Engine

from backend.adapters.migrate import migrate
from simulator.faults import TearAfter, TearBefore, nth
from tests.cases import chosen
from tests.databases import Databases
from tests.integration.backend.old_databases import put, revisions, rows_of
from tests.integration.card_sessions.bench import Town

EVERY_CASE = True
KEY_SETS = revisions().index("20261122")
SAMPLE = ("20261121", "20261122", "20261122h")


@pytest.mark.parametrize("revision", chosen(revisions()[:-1], SAMPLE))
def test_what_was_on_its_way_to_a_card_is_finished_after_the_upgrade(
    databases: Databases, revision: str
) -> None:
    town = Town(databases.fresh())
    torn, waiting, blank = (town.purse_card("torn"), town.purse_card("waits"), town.stock_card())
    for card in (torn, waiting):
        town.order(card, 5000)
    town.load(torn, TearAfter(torn.line, nth(1, ins=0xDC)))
    town.load(waiting, TearBefore(waiting.line, nth(1, ins=0xDC)))
    rows = rows_of(databases.engine)

    put_in = put(_at(databases, revision), rows)
    migrate(databases.engine)

    assert {"card_session", "card_session_step", "stock_card"} <= put_in.keys()
    assert town.load(torn).outcome in {"LOAD_DONE", "LOAD_NOTHING_WAITING"}
    assert town.load(waiting).outcome == "LOAD_DONE"
    assert town.personalise(blank).outcome == "PURSE_MADE"
    assert [town.slot_money(card) for card in (torn, waiting)] == [5000, 5000]
    town.check_books()


@pytest.mark.parametrize("revision", chosen(revisions()[KEY_SETS:-1], SAMPLE[1:]))
def test_a_key_set_change_that_was_torn_is_finished_after_the_upgrade(
    databases: Databases, revision: str
) -> None:
    town = Town(databases.fresh())
    card = town.purse_card()
    town.order(card, 5000)
    assert town.load(card).outcome == "LOAD_DONE"
    town.begin_key_set()
    town.renew(card, TearAfter(card.line, nth(3, ins=0x24)))
    rows = rows_of(databases.engine)

    assert put(_at(databases, revision), rows)["key_change"]
    migrate(databases.engine)

    assert town.renew(card).outcome == "KEY_SET_CHANGED"
    assert town.slot_money(card) == 5000
    town.check_books()


def _at(databases: Databases, revision: str) -> Engine:
    """An empty database as that version of the service left it."""
    engine = databases.empty()
    assert migrate(engine, revision) == revision
    return engine
