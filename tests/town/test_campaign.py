"""A campaign of towns: adds up, goes on where it was stopped, and says which seed failed."""

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError
from typer import Typer
from typer.testing import CliRunner, Result

from simulator.town.actors.cashier import Cashier
from simulator.town.actors.founding import Founding
from simulator.town.campaign import cli
from simulator.town.campaign.book import Book
from simulator.town.campaign.playing import Measure, Played, play_seed
from simulator.town.campaign.summary import Summary
from simulator.town.campaign.trial import Ground, command_of
from simulator.town.cli import town
from simulator.town.killed import Killed
from simulator.town.shrink import Recipe

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
    assert broken.failures == [{"seed": 2, "command": "", "code": "TOWN_AUDIT_FAILED", "cents": -3}]
    assert not broken.holds
    assert not Summary.of([good, alarmed]).holds


# what breaks, and what is too little ----------------------------------------------------------


def called(app: Callable[..., None], *words: str) -> Result:
    commands = Typer()
    commands.command()(app)
    return CliRunner().invoke(commands, [*words, "--lang", "en"])


def test_too_few_sales_or_faults_prove_nothing() -> None:
    measure = Measure(sales=2_300, faults=0.12)
    enough = _played(1, sales=2_000, faults={"tear_after": 200})
    summary = Summary.of([enough], measure)
    assert (summary.wanted_sales, summary.wanted_faults) == (2_000, 200)
    assert summary.holds
    for less in (replace(enough, sales=1_999), replace(enough, faults={"tear_after": 199})):
        assert not Summary.of([less], measure).holds
    assert Summary.of(
        [replace(enough, seed=seed) for seed in range(100)], measure
    ).wanted_sales == (200_000)


def test_a_town_that_crashes_is_a_result_like_any_other_and_its_command_shrinks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A product that breaks at a purchase: seed, error, and the history in a few lines."""
    monkeypatch.chdir(tmp_path)

    def breaks(*_: object) -> None:
        raise IntegrityError("INSERT INTO purse", {}, ValueError("UNIQUE: purse.number"))

    monkeypatch.setattr(Cashier, "sell", breaks)
    small = partial(Measure, people=2, shops=1, trips=4.0)
    monkeypatch.setattr(cli, "Measure", small)
    done = called(
        cli.campaign, "--seeds", "2", "--sales", "5", "--jobs", "1", "--report", "sum.json"
    )
    assert done.exit_code == 1
    told = [line for line in done.output.splitlines() if "IntegrityError" in line]
    assert len(told) == 2, "the second town was played although the first one broke"
    assert "seed 1: IntegrityError at d000-" in told[0]
    assert "UNIQUE: purse.number (test_campaign.py:" in told[0]
    kept = [json.loads(line) for line in (tmp_path / "town.jsonl").read_text().splitlines()]
    assert [one["seed"] for one in kept[1:]] == [1, 2]
    failures = json.loads((tmp_path / "sum.json").read_text())["failures"]
    assert [one["seed"] for one in failures] == [1, 2]
    assert told[0].endswith(failures[0]["command"])

    command = shlex.split(failures[0]["command"])
    assert command[:3] == ["borsellino", "sim", "town"]
    again = called(town, *command[3:], "--shrink", "2", "--json")
    assert again.exit_code == 1
    found = json.loads(again.output.splitlines()[-1])
    assert found["failure"]["code"] == "IntegrityError"
    assert found["shortest"]["happenings"][-1] == failures[0]["happening"]
    assert len(found["shortest"]["happenings"]) < 60, "what came after it is left out at least"


def test_the_command_of_an_adversarys_town_plays_the_very_same() -> None:
    assert command_of("stale read", 3, Ground()) == (
        "borsellino sim town --seed 3 --days 2 --people 2 --shops 2 --trips 6 --faults 0.05"
        " --one-till --adversary stale-read"
    )
    recipe = Recipe(3, days=2, people=2, shops=2, trips=6.0, faults=0.05, one_till=True)
    assert recipe.plan() == Ground().plan(3)


def test_a_sudden_death_that_nobody_takes_up_is_a_failure_of_its_town(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def dies(*_: object) -> None:
        raise Killed("after a commit")

    monkeypatch.setattr(Founding, "open_books", dies)
    played = play_seed(1, MEASURE)
    assert played.failure is not None
    assert (played.failure["code"], played.failure["what"]) == ("Killed", "after a commit")
