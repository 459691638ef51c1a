"""docs/mutations.md: the table that the runner makes, and that a test plays again."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.town.mutations.catalogue import DEFECTS
from tests.town.mutations.defect import Defect
from tests.town.mutations.playing import SEEDS, Caught

PAGE = Path(__file__).parents[3] / "docs" / "mutations.md"
_HEAD = f"""# Defects that the simulated town catches

Each of these defects was put into the product, one at a time, and the town was played on the
seeds 1, 2, 3 ... until something noticed it; {SEEDS} seeds is the most that is granted. *Law* is
the law of DESIGN that the defect breaks, *caught by* the code of the check that noticed it (an
adversary that gained, or an error that stopped the town, where it is no law's), *at* the
happening. A defect is caught by whatever looks first: that need not be its own law's check.

The page is made by `python -m tests.town.mutations --page`; tests/town/test_mutations.py plays
each defect again on the seed named here, and the same towns without a defect.

| law | defect | what goes wrong | where | town | seeds | caught by | at |
|---|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: the defect, and the seed and code that catch it."""

    name: str
    law: int
    town: str
    seed: int
    code: str


def page_of(found: Iterable[tuple[Defect, Caught]]) -> str:
    """The whole page."""
    return _HEAD + "".join(_line(defect, caught) for defect, caught in found)


def _line(defect: Defect, caught: Caught) -> str:
    where = ", ".join(f"`{site.place}`" for site in defect.sites)
    cells = (
        str(defect.law), f"`{defect.name}`", defect.does, where, defect.town, str(caught.seed),
        f"`{caught.code}`", f"`{caught.happening}`",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def rows() -> list[Row]:
    """What the committed page says."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip(" `") for cell in line.strip("|").split(" | ")] for line in lines[1:]]
    return [
        Row(name, int(law), town, int(seed), code) for law, name, _, _, town, seed, code, _ in cells
    ]


def current() -> list[tuple[str, int, str]]:
    """Name, law and town of every defect, as the page should have them."""
    return [(defect.name, defect.law, defect.town) for defect in DEFECTS]
