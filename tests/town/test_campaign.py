"""A campaign of towns: adds up, goes on where it was stopped, and says which seed failed."""

import json
from pathlib import Path

from simulator.town.campaign.book import Book
from simulator.town.campaign.playing import Measure, Played
from simulator.town.campaign.summary import Summary

MEASURE = Measure(sales=10, faults=0.1)


def _played(seed: int, **others: object) -> Played:
    facts = {"seed": seed, "days": 7, "sales": 10, "faults": {"tear_after": 1}, "cents": 1000}
    return Played(**(facts | others))  # type: ignore[arg-type] # facts are of the right kinds


def test_a_stopped_campaign_knows_what_it_has_played(tmp_path: Path) -> None:
    book = Book(tmp_path / "book", MEASURE, Played)
    assert book.begin() == {}
    book.add(_played(3))
    with (tmp_path / "book").open("a") as torn:
        torn.write('{"seed": 4, "da')
    assert Book(tmp_path / "book", MEASURE, Played).begin() == {3: _played(3)}


def test_another_measure_begins_anew(tmp_path: Path) -> None:
    Book(tmp_path / "book", MEASURE, Played).begin()
    Book(tmp_path / "book", MEASURE, Played).add(_played(3))
    assert Book(tmp_path / "book", Measure(sales=11, faults=0.1), Played).begin() == {}
    assert json.loads((tmp_path / "book").read_text())["measure"]["sales"] == 11


def test_one_broken_law_or_false_alarm_is_not_lost_in_the_sum() -> None:
    good, failed = _played(1), _played(2, failure={"code": "TOWN_AUDIT_FAILED", "cents": -3})
    alarmed = _played(3, alarms_false=1)
    assert Summary.of([good]).holds
    broken = Summary.of([failed, good])
    assert (broken.sales, broken.faults["tear_after"], broken.cents_astray) == (20, 2, 3)
    assert broken.failures == [{"seed": 2, "code": "TOWN_AUDIT_FAILED", "cents": -3}]
    assert not broken.holds
    assert not Summary.of([good, alarmed]).holds
