from collections.abc import Iterator
from pathlib import Path

import pytest

from terminal.till import Till
from tests.integration.terminal.stage import Stage
from tests.integration.terminal_ui.reader import Reader


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A town with its keys; tills made on it are closed afterwards."""
    made = Stage(tmp_path)
    with made.open_tills:
        yield made


@pytest.fixture
def till(stage: Stage) -> Till:
    return stage.till()


@pytest.fixture
def reader() -> Reader:
    return Reader()
