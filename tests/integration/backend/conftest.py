import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.adapters.engine import open_engine, sqlite_url
from backend.adapters.migrate import migrate
from tests.integration.backend.builders import Town


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite file that was made by running the migrations."""
    path = tmp_path_factory.mktemp("migrated") / "backend.sqlite"
    engine = open_engine(sqlite_url(path))
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture
def engine(tmp_path: Path, migrated_file: Path) -> Generator[Engine]:
    """A database of this test's own."""
    path = tmp_path / "backend.sqlite"
    shutil.copy(migrated_file, path)
    engine = open_engine(sqlite_url(path))
    yield engine
    engine.dispose()


@pytest.fixture
def town(engine: Engine) -> Town:
    """A municipality with one programme, two shops and money to give."""
    return Town(engine)
