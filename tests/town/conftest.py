from collections.abc import Generator
from pathlib import Path

import pytest

from tests.town.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Generator[Place]:
    place = Place(tmp_path)
    yield place
    place.hall.close()
