"""``borsellino sim play``: exit status, and the line that did not come true."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
GOOD = (
    "new card anna\ninsert anna\nat VERIFY tear after\nverify 12345\nexpect CARD_GONE\nsay torn\n"
)


def play(folder: Path, script: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "story.txt").write_text(script)
    command = [sys.executable, "-m", "simulator.cli", "play", "story.txt", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_a_script_that_comes_true_exits_0(tmp_path: Path) -> None:
    done = play(tmp_path, GOOD, "--trace")
    assert (done.returncode, done.stdout) == (0, "torn\n6 steps done, all as expected.\n")
    assert "1 VERIFY: no answer" in done.stderr
    assert "12345" not in done.stderr


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("insert nobody", "SCRIPT_CARD: Line 1 of the script names the card nobody"),
        ("say hello\ndance", "SCRIPT_LINE: Line 2 of the script is not understood: dance"),
        (GOOD + "put back\nexpect OK", "SCRIPT_UNMET: Line 8 of the script expects OK"),
    ],
)
def test_the_first_line_that_fails_is_told_and_exits_1(
    tmp_path: Path, script: str, told: str
) -> None:
    done = play(tmp_path, script)
    assert done.returncode == 1
    assert done.stderr.startswith(told)


def test_the_same_in_italian(tmp_path: Path) -> None:
    done = play(tmp_path, "dance", "--lang", "it")
    assert done.stderr.startswith("SCRIPT_LINE: La riga 1 del copione non si capisce: dance")


def test_a_script_that_is_not_there(tmp_path: Path) -> None:
    done = play(tmp_path, "", "--keys", "nowhere.json")
    assert done.stderr.startswith("KEYS_UNREADABLE")


@pytest.mark.parametrize(
    ("script", "cards", "told"),
    [
        ("new card ../anna", "cards", "CARD_NAME_BAD"),
        ("new card anna", "story.txt", "SHELF_NO_FOLDER"),
        ("new card anna", "/proc/nothing", "CARD_IMAGE_UNWRITABLE"),
    ],
)
def test_a_card_goes_into_its_folder_or_nowhere(
    tmp_path: Path, script: str, cards: str, told: str
) -> None:
    done = play(tmp_path, script, "--cards", cards)
    assert (done.returncode, done.stderr.split(":")[0]) == (1, told)
    assert [path.name for path in tmp_path.iterdir()] == ["story.txt"]
