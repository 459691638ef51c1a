"""Half a minute of the soak on each database, with a fixed seed."""

import shutil
from pathlib import Path

import pytest

from cardlib.wire.money import Money
from tests.soak.__main__ import soak
from tests.soak.reckoning import reckon
from tests.soak.town import SoakTown

SECONDS, SEED, PEOPLE = 30, 4, 2


@pytest.mark.long
@pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def test_not_one_cent_goes_astray_while_everything_is_killed(tmp_path: Path, database: str) -> None:
    told: list[str] = []
    crew, found = soak(tmp_path / "town", database, SECONDS, SEED, told.append, people=PEOPLE)
    assert found.faults == []
    assert found.sales > 0
    assert {kind for kind, count in crew.kills.items() if count} == {"agent", "backend", "till"}
    assert told


def test_a_cent_that_is_astray_is_found(tmp_path: Path) -> None:
    """A card that is a copy of an older self has more on it than the ledger says."""
    town = SoakTown(tmp_path / "town", people=1)
    town.found()
    path = min(town.cards)
    shutil.copy(path, tmp_path / "older")
    pin = town.pins()[path.name]
    with town.reader.insert(path) as card:
        town.tills[0].sell(card, pin, [(0, Money(5_00))])
    shutil.copy(tmp_path / "older", path)
    faults = reckon(town).faults
    assert any(fault.startswith("card ") for fault in faults), faults
