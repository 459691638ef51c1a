"""Tests that share something dear run on one worker; all others on any."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture.repository import ROOT
from tests.scheduling import TOGETHER

NOTES_ITS_WORKER = """
import pytest

@pytest.mark.parametrize("number", range(6))
def test_it(number, worker_id):
    with open("workers", "a") as notes:
        notes.write(f"{__name__} {worker_id}\\n")
"""


def test_what_stays_together_exists() -> None:
    assert [file for file in TOGETHER if not (ROOT / file).is_file()] == []


def test_tests_that_share_something_run_on_one_worker(tmp_path: Path) -> None:
    two = [file for file, shared in TOGETHER.items() if shared == "a demo played"][:2]
    for file in (*two, "tests/test_alone.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(NOTES_ITS_WORKER)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for module in (ROOT / "tests").glob("*.py"):
        shutil.copy(module, tmp_path / "tests")

    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider"],
        cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, check=False, capture_output=True,
        text=True,
    )  # fmt: skip

    assert told.returncode == 0, told.stdout + told.stderr
    notes = (tmp_path / "workers").read_text().splitlines()
    assert len(notes) == 18
    assert len({note.split()[1] for note in notes if "test_alone" not in note}) == 1
