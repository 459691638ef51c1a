"""The examples of the docs run, say what they are about, and stay short."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
SHARED, WITH_DAEMON, TESTS = "training.py", "plug_into_pcscd.py", "test_with_fixtures.py"
LINES_MAX, COUNT, LIMIT_S = 40, 10, 60
SAYS = {
    "read_files.py": "historical  CNS",
    "balance.py": "wallet 2: 12.50 EUR",
    "sale.py": "READ RECORD EF.SPEND 1           73 bytes",
    "recover_torn_card.py": "TearAfter: the card was debited, the goods are due",
    "fault_script.py": "the card is back, and none the worse for it",
    "record_and_replay.py": "another command: TRACE_DEPARTED",
    "own_driver.py": "balance: 50.00 EUR",
    "pin_pad.py": "the chip says: right",
}


def examples() -> list[Path]:
    return sorted(path for path in EXAMPLES.glob("*.py") if path.name != SHARED)


def run(*arguments: str) -> str:
    """What an example prints, run as a reader would, warnings being errors."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=EXAMPLES, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.parametrize("name", SAYS)
def test_an_example_runs_and_shows_what_it_promises(name: str) -> None:
    assert SAYS[name] in run(name)


def test_the_fixtures_work_in_tests_of_another_project() -> None:
    told = run("-m", "pytest", "-q", "-p", "simulator.pytest_plugin", TESTS)
    assert "2 passed" in told


def test_there_are_ten_and_the_list_names_them_all() -> None:
    names = {path.name for path in examples()}
    assert len(names) == COUNT
    assert names == {*SAYS, WITH_DAEMON, TESTS}
    readme = (EXAMPLES / "README.md").read_text("utf-8")
    assert all(f"[{name}]({name})" in readme for name in names)


@pytest.mark.parametrize("path", examples(), ids=lambda path: path.name)
def test_an_example_is_short_and_begins_by_saying_what_it_shows(path: Path) -> None:
    text = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= LINES_MAX
