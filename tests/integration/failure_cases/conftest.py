from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.failure_cases.scene import Scene
from tests.integration.terminal.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A town with its keys; tills made on it are closed afterwards."""
    made = Stage(tmp_path)
    with made.open_tills:
        yield made


@pytest.fixture
def scene(stage: Stage) -> Scene:
    """A card with 100 EUR for food, and a till."""
    return Scene(stage, stage.card(), stage.till())
