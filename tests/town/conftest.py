from collections.abc import Generator
from pathlib import Path

import pytest

from tests.town.built import BuiltTown, Kept
from tests.town.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Generator[Place]:
    place = Place(tmp_path)
    yield place
    place.hall.close()


@pytest.fixture(scope="module")
def honest() -> Generator[tuple[BuiltTown, Kept]]:
    """A built town after a few honest days; each test begins there again."""
    town = BuiltTown.new()
    town.honest_days()
    yield town, town.keep()
    town.checks.close()
    town.hall.close()


@pytest.fixture
def built(honest: tuple[BuiltTown, Kept]) -> BuiltTown:
    town, kept = honest
    town.put_back(kept)
    return town
