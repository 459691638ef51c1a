"""Each defect of the catalogue is noticed on its seed, and the town is clean without it."""

from dataclasses import dataclass

import pytest

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


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_defect_is_caught_on_its_seed(row: Row) -> None:
    caught = hunt(NAMED[row.name], [row.seed])
    assert caught is not None
    assert caught.code == row.code


@pytest.mark.parametrize(("town", "seed"), sorted({(row.town, row.seed) for row in ROWS}))
def test_the_same_town_without_a_defect_is_clean(town: str, seed: int) -> None:
    assert play(town, seed) is None


def test_the_page_lists_what_there_is() -> None:
    assert [(row.name, row.law, row.town) for row in ROWS] == current()
    assert len(NAMED) == len(DEFECTS) >= 30
    text = PAGE.read_text("utf-8")
    for defect in DEFECTS:
        assert defect.does in text
        assert all(site.place in text for site in defect.sites)


def test_every_law_is_broken_twice_and_caught_in_time() -> None:
    assert {law for law in range(1, 13) if sum(row.law == law for row in ROWS) < 2} == set()
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
