"""docs/mutations.md: the table that the runner makes, and that a test plays again."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.town.mutations.catalogue import DEFECTS
from tests.town.mutations.defect import Defect
from tests.town.mutations.playing import SEEDS, Caught
from tests.town.mutations.towns import TOWNS

PAGE = Path(__file__).parents[3] / "docs" / "mutations.md"
_HEAD = f"""# Defects that the simulated town catches

Each of these defects was put into the product (one into the simulated chip), one at a time, and
the town was played on the seeds 1, 2, 3 ... until something noticed it, or first on the one that
did so last time; {SEEDS} seeds is the most that is granted. *Law* is
the law of DESIGN that the defect breaks, *caught by* the code of the check that noticed it (an
adversary that gained, or an error that stopped the town, where it is no law's), *at* the
happening. A defect is caught by whatever looks first: that need not be its own law's check.

The page is made by `./run town --mutations --page`, which also plays the same towns without a
defect, and writes nothing unless they are clean. tests/town/test_mutations.py plays defects again,
first on the seed named here: one for each law; `./run test-full` all.

| law | defect | what goes wrong | where | town | seed | caught by | at |
|---|---|---|---|---|---|---|---|
"""
_TOWNS = "\n".join(
    ("", "The towns:", "", *(f"- `{name}`: {town.told}" for name, town in TOWNS.items()), "")
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line: the defect, and the seed and code that catch it."""

    name: str
    law: int
    town: str
    seed: int
    code: str


def page_of(found: Iterable[tuple[Defect, Caught]]) -> str:
    """The whole page; a defect that was not played now keeps its row, KeyError without one."""
    lines = {defect.name: _line(defect, caught) for defect, caught in found}
    kept = {row.name: line for row, line in zip(rows(), _lines(), strict=True)}
    table = "".join(lines.get(one.name) or f"{kept[one.name]}\n" for one in DEFECTS)
    return _HEAD + table + _TOWNS


def _line(defect: Defect, caught: Caught) -> str:
    where = ", ".join(f"`{site.place}`" for site in defect.sites)
    cells = (
        str(defect.law), f"`{defect.name}`", defect.does, where, defect.town, str(caught.seed),
        f"`{caught.code}`", f"`{caught.happening}`",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def rows() -> list[Row]:
    """What the committed page says."""
    cells = [[cell.strip(" `") for cell in line.strip("|").split(" | ")] for line in _lines()]
    return [
        Row(name, int(law), town, int(seed), code) for law, name, _, _, town, seed, code, _ in cells
    ]


def _lines() -> list[str]:
    text = PAGE.read_text("utf-8")
    return [line for line in text.splitlines() if line.startswith("| ")][1:]


def current() -> list[tuple[str, int, str]]:
    """Name, law and town of every defect, as the page should have them."""
    return [(defect.name, defect.law, defect.town) for defect in DEFECTS]
