from collections.abc import Generator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.adapters.engine import open_engine, sqlite_url
from backend.adapters.migrate import migrate


@pytest.fixture
def engine(tmp_path: Path) -> Generator[Engine]:
    """A SQLite file that was made by running the migrations."""
    engine = open_engine(sqlite_url(tmp_path / "backend.sqlite"))
    migrate(engine)
    yield engine
    engine.dispose()
