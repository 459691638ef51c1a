"""``doctor`` and the module card of a till: there, missing, blocked, or something else."""

from pathlib import Path

import pytest

from simulator.card.randomness import SeededRandomness
from simulator.card.store import FileStore
from simulator.module_card import memory as images
from simulator.modules import create_module
from terminal.doctor.findings import Finding
from terminal.doctor.module import module
from terminal.till_files import TillConfig, TillFiles


def examined(directory: Path, image: Path | str = "") -> list[Finding]:
    files = TillFiles(directory)
    TillConfig("http://127.0.0.1:1", module_image=str(image)).write(files.config)
    return list(module(files))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "module.card"
    create_module(path, SeededRandomness("module"), "module-pin")
    return path


def test_a_till_with_a_software_module_has_nothing_to_tell(tmp_path: Path) -> None:
    assert examined(tmp_path) == []


def test_a_module_card_in_order_loses_no_try(tmp_path: Path, image: Path) -> None:
    before = image.read_bytes()
    (finding,) = examined(tmp_path, image)
    assert finding.ok
    assert image.read_bytes() == before


def test_a_module_that_is_not_there(tmp_path: Path) -> None:
    (finding,) = examined(tmp_path, tmp_path / "none")
    assert (finding.ok, finding.code) == (False, "CARD_IMAGE_UNREADABLE")


def test_a_blocked_module_is_said_to_be_so(tmp_path: Path, image: Path) -> None:
    memory = images.decode(image.read_bytes())
    memory.pin.tries_left = 0
    FileStore(image).save(images.encode(memory))
    (finding,) = examined(tmp_path, image)
    assert (finding.ok, finding.code) == (False, "MODULE_BLOCKED")
    assert finding.sentence("it")
