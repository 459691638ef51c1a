from dataclasses import dataclass

import pytest

from tests.databases import Databases
from tests.integration.card_sessions.bench import Card, Town


@dataclass(frozen=True)
class Snapshot:
    """A town and a card at one moment, to begin many tests from."""

    database: str
    town: Town
    card: Card


@pytest.fixture(scope="package")
def founded(databases: Databases) -> tuple[str, Town]:
    town = Town(databases.fresh())
    return databases.keep(), town


@pytest.fixture
def town(databases: Databases, founded: tuple[str, Town]) -> Town:
    database, twin = founded
    return Town(databases.restore(database), twin, "twin")


@pytest.fixture(scope="package")
def with_an_order_waiting(databases: Databases, founded: tuple[str, Town]) -> Snapshot:
    database, twin = founded
    town = Town(databases.restore(database), twin, "template")
    card = town.purse_card()
    town.order(card, 5000)
    town.load(card)
    card.debit(1250)
    town.order(card, 3000)
    return Snapshot(databases.keep(), town, card)


@pytest.fixture
def waiting(databases: Databases, with_an_order_waiting: Snapshot) -> Card:
    """A card with 50.00 of which 12.50 are spent, and an order for 30.00."""
    at = with_an_order_waiting
    return at.card.copy(Town(databases.restore(at.database), at.town, "waiting"))


@pytest.fixture(scope="package")
def in_the_field(databases: Databases, founded: tuple[str, Town]) -> Snapshot:
    database, twin = founded
    town = Town(databases.restore(database), twin, "field")
    card = town.purse_card("field")
    for slot, cents in ((1, 5000), (2, 700)):
        town.order(card, cents, slot=slot, programme=slot)
        assert town.load(card).outcome == "LOAD_DONE"
    card.debit(1250)
    assert town.begin_key_set() == 2
    return Snapshot(databases.keep(), town, card)


@pytest.fixture
def field_card(databases: Databases, in_the_field: Snapshot) -> Card:
    """37.50 in one wallet and 7.00 in another, a sale on its way, a new key set begun."""
    at = in_the_field
    return at.card.copy(Town(databases.restore(at.database), at.town, "renewing"))
