"""A real-stack test runs, fails, or is left out by choice: it is never quietly skipped."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT

PASSES = "import pytest\n\n@pytest.mark.pcsc\ndef test_card():\n    pass\n"
SKIPS = 'import pytest\n\n@pytest.mark.pcsc\ndef test_card():\n    pytest.skip("no reader")\n'
SKIPS_WHOLE = 'import pytest\n\npytest.importorskip("no_such_module")\n'
UNMARKED = "def test_card():\n    pass\n"

NOBODY_HAS = 'NEEDS = (Need("pcsc", "no-such-package", "a part nobody has", lambda: False),)\n'
NOTHING = "NEEDS = ()\n"


@pytest.fixture
def outcome(tmp_path: Path) -> "Outcome":
    return Outcome(tmp_path)


class Outcome:
    """Runs one real-stack test module under the rules of tests/conftest.py."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        (tree / "tests" / "real_stack").mkdir(parents=True)
        shutil.copy(ROOT / "pyproject.toml", tree)
        for module in (ROOT / "tests").glob("*.py"):
            shutil.copy(module, tree / "tests")

    def of(self, test: str, needs: str, *arguments: str) -> str:
        """Exit code and report; ``needs`` replaces the list of needs."""
        (self._tree / "tests" / "real_stack" / "test_it.py").write_text(test)
        script = self._tree / "tests" / "needs.py"
        script.write_text(
            script.read_text().replace("\n\ndef missing", f"\n{needs}\n\ndef missing")
        )
        told = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
            cwd=self._tree,
            env={"PYTHONPATH": str(self._tree)},
            check=False,
            capture_output=True,
            text=True,
        )
        return f"exit {told.returncode}: {told.stdout}{told.stderr}"


def test_a_missing_part_fails_and_is_named(outcome: Outcome) -> None:
    told = outcome.of(PASSES, NOBODY_HAS)
    assert told.startswith("exit 1")
    assert "a part nobody has (no-such-package)" in told


def test_a_missing_part_may_be_left_out_by_choice(outcome: Outcome) -> None:
    told = outcome.of(PASSES, NOBODY_HAS, "--without-pcsc")
    assert told.startswith("exit 0")
    assert "1 skipped" in told


@pytest.mark.parametrize("test", [SKIPS, SKIPS_WHOLE])
def test_a_test_that_skips_itself_fails(test: str, outcome: Outcome) -> None:
    told = outcome.of(test, NOTHING)
    assert not told.startswith("exit 0")
    assert "may not be skipped" in told


def test_a_real_stack_test_says_what_it_needs(outcome: Outcome) -> None:
    told = outcome.of(UNMARKED, NOTHING)
    assert told.startswith("exit 4")
    assert "needs one of the markers" in told
