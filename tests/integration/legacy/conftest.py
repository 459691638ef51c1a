from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.terminal.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    with made.open_tills:
        yield made
