"""Defects of the catalogue are noticed, on the seed of the page or soon after.

A town that has become fuller may need another seed: ``SOON`` more are tried. The page itself is
only written when every town in which a defect was caught is clean without one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.cases import chosen, one_each
from tests.town.mutations.catalogue import DEFECTS, NAMED
from tests.town.mutations.defect import Acted, Defect, Site
from tests.town.mutations.page import PAGE, Row, current, rows
from tests.town.mutations.playing import SEEDS, hunt, play

ROWS = rows()


@dataclass
class Scales:
    """Something to put a defect into."""

    cents: int = 100

    def weigh(self) -> int:
        return self.cents


SOON = 6
CLEAN = ("busy", "people")


def one_a_law(listed: Sequence[Row]) -> list[Row]:
    """For each law, the first."""
    return one_each(listed, lambda row: row.law)


@pytest.mark.parametrize("row", chosen(ROWS, one_a_law(ROWS)), ids=lambda row: row.name)
def test_a_defect_is_caught(row: Row) -> None:
    """What is tried is that the hunt still finds: each check has tests of its own that it bites.

    ``./run test-full`` hunts for every defect of the page.
    """
    others = (seed for seed in range(1, SOON + 1) if seed != row.seed)
    assert hunt(NAMED[row.name], [row.seed, *others]) is not None


@pytest.mark.parametrize("town", CLEAN)
def test_a_town_without_a_defect_is_clean(town: str) -> None:
    assert play(town, 1) is None


def test_the_page_lists_what_there_is() -> None:
    assert [(row.name, row.law, row.town) for row in ROWS] == current()
    assert len(NAMED) == len(DEFECTS) >= 55
    text = PAGE.read_text("utf-8")
    for defect in DEFECTS:
        assert defect.does in text
        assert all(site.place in text for site in defect.sites)


def test_every_law_is_broken_three_times_and_caught_in_time() -> None:
    assert {law for law in range(1, 13) if sum(row.law == law for row in ROWS) < 3} == set()
    assert max(row.seed for row in ROWS) <= SEEDS


def test_a_defect_is_there_inside_its_block_only_and_counts_its_deeds() -> None:
    def heavier(real, note):  # type: ignore[no-untyped-def]
        def defective(scales: Scales) -> int:
            note()
            return int(real(scales)) + 1

        return defective

    defect = Defect(name="thumb", law=1, does="a thumb", sites=(Site(Scales, "weigh", heavier),))
    with defect.applied() as acted:
        assert acted == Acted(0)
        assert Scales().weigh() == 101
        assert acted == Acted(1)
    assert Scales().weigh() == 100


def test_a_defect_whose_place_is_gone_says_so() -> None:
    defect = Defect(
        name="ghost", law=1, does="nothing", sites=(Site(Scales, "tare", lambda real, _: real),)
    )
    with pytest.raises(AttributeError, match=r"Scales\.tare is no more"), defect.applied():
        pass
