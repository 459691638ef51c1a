from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from backend.adapters.engine import open_engine, sqlite_url
from backend.adapters.migrate import migrate
from tests.integration.card_sessions.bench import Card, Town


def fast_engine(path: Path) -> Engine:
    """As in service, but without waiting for the disk: nobody cuts the power here."""
    engine = open_engine(sqlite_url(path))
    event.listen(
        engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF")
    )
    return engine


class Disk:
    """One database file for all tests: an engine remembers how statements are compiled."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.engine = fast_engine(path)

    def write(self, database: bytes) -> Engine:
        """Puts another database in the file's place."""
        self.engine.dispose()
        self._path.write_bytes(database)
        return self.engine

    def read(self) -> bytes:
        """The database as it is."""
        self.engine.dispose()
        return self._path.read_bytes()


@dataclass(frozen=True)
class Snapshot:
    """A town and a card at one moment, to begin many tests from."""

    database: bytes
    town: Town
    card: Card


@pytest.fixture(scope="package")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Generator[Disk]:
    disk = Disk(tmp_path_factory.mktemp("card_sessions") / "backend.sqlite")
    yield disk
    disk.engine.dispose()


@pytest.fixture(scope="package")
def founded(disk: Disk) -> tuple[bytes, Town]:
    migrate(disk.engine)
    town = Town(disk.engine)
    return disk.read(), town


@pytest.fixture
def town(disk: Disk, founded: tuple[bytes, Town]) -> Town:
    database, twin = founded
    return Town(disk.write(database), twin, "twin")


@pytest.fixture(scope="package")
def with_an_order_waiting(disk: Disk, founded: tuple[bytes, Town]) -> Snapshot:
    database, twin = founded
    town = Town(disk.write(database), twin, "template")
    card = town.purse_card()
    town.order(card, 5000)
    town.load(card)
    card.debit(1250)
    town.order(card, 3000)
    return Snapshot(disk.read(), town, card)


@pytest.fixture
def waiting(disk: Disk, with_an_order_waiting: Snapshot) -> Card:
    """A card with 50.00 of which 12.50 are spent, and an order for 30.00."""
    at = with_an_order_waiting
    return at.card.copy(Town(disk.write(at.database), at.town, "waiting"))
