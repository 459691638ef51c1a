import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.adapters.engine import open_engine, sqlite_url
from backend.adapters.migrate import migrate
from tests.integration.backend.books import check_export, check_laws
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
def town(engine: Engine, request: pytest.FixtureRequest) -> Generator[Town]:
    """A municipality with one programme, two shops and money to give.

    However its story ends, the equations hold and the auditor finds nothing.
    """
    town = Town(engine)
    yield town
    check_laws(town)
    if "auditor_may_differ" not in request.fixturenames:
        check_export(town)


@pytest.fixture
def auditor_may_differ() -> None:
    """For stories about something that an auditor rightly names."""
