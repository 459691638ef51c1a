"""A demo played once and a town founded once, copied for every test that spoils them."""

import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from cardlib.system import SystemClock, SystemRandomness
from simulator.town.demo.narrator import Narrator
from simulator.town.demo.play import Demo
from tests.integration.demo.town import Town


def demo_in(directory: Path, lang: str = "en") -> Demo:
    return Demo(directory, SystemClock(), SystemRandomness(), Narrator(lang, silent=True))


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a demo that went well."""
    directory = tmp_path_factory.mktemp("demo") / "town"
    assert demo_in(directory).play(pcsc=False).holds
    return directory


@pytest.fixture
def kept(played: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return Path(shutil.copytree(played, tmp_path / "town"))


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """A town that has opened, its hall closed again."""
    return Town.founded(tmp_path_factory.mktemp("founded"))


@pytest.fixture
def town(founded: Town, tmp_path: Path) -> Generator[Town]:
    """A copy of it, to be spoilt, and its hall open."""
    with founded.copied(tmp_path / "town") as copy:
        yield copy
