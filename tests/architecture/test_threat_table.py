"""The threat table keeps its word: where it says that a chip refuses, a test shows it."""

import ast
import re
from pathlib import Path

from simulator.town.adversaries.roll import ADVERSARIES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
CHIP = "**chip**"


def listed() -> dict[int, tuple[str, str]]:
    """Path and function of each numbered test."""
    found = re.findall(r"^(\d+)\. `(\S+)::(\w+)`$", PAGE, re.MULTILINE)
    return {int(number): (path, name) for number, path, name in found}


def cells() -> list[str]:
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    return [cell for row in rows for cell in row.split("|") if CHIP in cell]


def test_every_refusal_of_a_chip_names_a_test() -> None:
    assert cells()
    numbers = [int(number) for cell in cells() for number in re.findall(r"\[(\d+)\]", cell)]

    assert [cell for cell in cells() if not re.search(r"\*\*chip\*\* \[\d+\]", cell)] == []
    assert sorted(numbers) == sorted(listed())


def test_every_named_test_exists() -> None:
    missing = [
        f"{path}::{name}"
        for path, name in re.findall(r"`(tests/\S+\.py)::(\w+)`", PAGE)
        if name not in functions(ROOT / path)
    ]
    assert missing == []


def test_every_adversary_of_the_town_has_its_row() -> None:
    named = {name for row in played_rows() for name in row.split("; ") if name}
    assert named == set(ADVERSARIES)


def played_rows() -> list[str]:
    """The last cell of each row of the tables that say who plays an attack."""
    rows, found = PAGE.splitlines(), []
    for at, line in enumerate(rows):
        if line.startswith("|") and line.endswith("| played by |"):
            end = next(n for n in range(at, len(rows)) if not rows[n].startswith("|"))
            found += [row.split("|")[-2].strip() for row in rows[at + 2 : end]]
    return found


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
