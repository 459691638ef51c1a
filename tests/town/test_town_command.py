"""``borsellino sim town``: plays, shows, reports; a broken law comes with its history."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from simulator import cli as sim
from simulator.errors import TownError
from simulator.town import cli
from simulator.town.adversaries import roll
from simulator.town.adversaries.adversary import Adversary
from simulator.town.checks.town_checks import TownChecks
from simulator.town.clock import DeviceClock, TownTime
from simulator.town.plan import Kind, Plan
from simulator.town.plan.model import Happening
from simulator.town.report.failing import Asked, shortest
from simulator.town.report.show import Silence
from simulator.town.shrink import Failure, Recipe
from simulator.town.state import Town

SMALL = ("--seed", "3", "--days", "2", "--people", "2", "--shops", "1", "--lang", "en")
RECIPE = Recipe(seed=3, days=2, people=2, shops=1, faults=0.1)


def called(*words: str) -> Result:
    app = Typer()
    app.command()(cli.town)
    return CliRunner().invoke(app, list(words))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def breaks_at_the_first_sale(happenings: Iterator[Happening]) -> None:
    for item in happenings:
        if item.kind is Kind.BUY:
            raise TownError(
                "TOWN_SLOT_UNBALANCED", law=1, subject="purse", what="5 cents", cents=5,
                happening=item.id, seed=3,
            )  # fmt: skip


def test_a_town_that_holds(tmp_path: Path) -> None:
    done = called(*SMALL, "--report", "town.html")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0].startswith("Thu 01/10: sales ")
    assert lines[1].startswith("Fri 02/10: sales ")
    assert lines[-2] == "Every law held after every step, and no cent is astray."
    assert lines[-1] == "The report is in town.html"
    assert "--seed 3 --days 2 --people 2 --shops 1" in done.output
    assert "refused" not in done.output.replace("refused or tried again", "")
    assert "Every law held" in (tmp_path / "town.html").read_text("utf-8")


def test_a_broken_law_comes_with_its_shortest_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = TownChecks.after

    def after(self: TownChecks, town: Town, happening: Happening) -> None:
        real(self, town, happening)
        breaks_at_the_first_sale(iter((happening,)))

    monkeypatch.setattr(TownChecks, "after", after)
    monkeypatch.setattr(
        cli, "play_again", lambda _asked, plan: breaks_at_the_first_sale(iter(plan.happenings))
    )
    done = called(*SMALL, "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["failure"]["code"] == "TOWN_SLOT_UNBALANCED"
    assert told["cents_astray"] == 5
    assert not told["holds"]
    assert not told["complete"]
    (only,) = told["shortest"]["happenings"]
    assert only.endswith("buy0")
    assert told["shortest"]["command"] == "borsellino sim town --replay town.failing.json"
    kept = Recipe.read(tmp_path / "town.failing.json")
    assert [item.id for item in kept.plan().happenings] == [only]


def test_ctrl_c_keeps_the_shortest_history_so_far() -> None:
    plan, runs = RECIPE.plan(), 0

    def play(shorter: Plan) -> None:
        nonlocal runs
        runs += 1
        if runs == 3:
            raise KeyboardInterrupt
        breaks_at_the_first_sale(iter(shorter.happenings))

    failure = Failure("TOWN_SLOT_UNBALANCED", next(
        item.id for item in plan.happenings if item.kind is Kind.BUY
    ))  # fmt: skip
    sizes: list[int] = []
    found = shortest(
        RECIPE, failure, play, DeviceClock(TownTime(0)),
        lambda _runs, size, _accidents: sizes.append(size), seconds_max=60,
    )  # fmt: skip
    assert not found.whole
    assert sizes[-1] == len(found.plan.happenings) < len(plan.happenings)
    assert found.recipe.plan() == found.plan
    assert any(item.kind is Kind.BUY for item in found.plan.happenings)


def test_ctrl_c_stops_a_town_after_a_happening_and_reports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Silence, "look", lambda _self, _world: os.kill(os.getpid(), signal.SIGINT))
    done = called(*SMALL, "--json")
    assert done.exit_code == 130
    told = json.loads(done.stdout)
    assert told["happenings_played"] == 1
    assert told["failure"] is None
    assert not told["complete"]


def test_the_command_that_plays_it_again_names_everything() -> None:
    asked = Asked(RECIPE, ("stale-read", "clone"))
    assert asked.command == (
        "borsellino sim town --seed 3 --days 2 --people 2 --shops 1 --trips 1 --faults 0.1"
        " --adversary stale-read --adversary clone"
    )
    assert asked.replay(Path("x.json")).endswith("--replay x.json --adversary stale-read"
                                                 " --adversary clone")  # fmt: skip


def test_adversaries_come_one_at_a_time() -> None:
    both = called(*SMALL, "--adversary", "stale-read", "--adversary", "clone")
    assert both.exit_code == 2
    assert "TOWN_ADVERSARIES_MANY" in both.output


def test_a_shop_that_sold_to_an_emulated_purse_need_not_be_paid() -> None:
    size = ("--days", "3", "--people", "4", "--shops", "2", "--shrink", "0")
    done = called(*size, "--adversary", "emulated-purse")
    assert done.exit_code == 0, done.output


def test_adversaries_are_found_by_name() -> None:
    listed = called("--adversary", "list").output.split()
    assert {"stale-read", "emulated-purse", "forked-journal"} <= set(listed)
    for name in listed:
        attacker: Adversary = roll.called([name])[0]
        assert attacker.tally.attempts == 0
        assert attacker.expectation.source
    unknown = called(*SMALL, "--adversary", "nobody")
    assert unknown.exit_code == 2
    assert "TOWN_ADVERSARY_UNKNOWN" in unknown.output
    assert "stale-read" in unknown.output


def test_help_is_found_under_sim() -> None:
    done = CliRunner().invoke(sim.app, ["town", "--help"], env={"COLUMNS": "120"})
    assert done.exit_code == 0
    assert "--adversary" in done.output


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--report", "nowhere/town.html"), "TOWN_REPORT_PLACE"),
        (("--report", "."), "TOWN_REPORT_PLACE"),
        (("--replay", "missing.json"), "TOWN_HISTORY_UNREADABLE"),
        (("--replay", "something.json"), "TOWN_HISTORY_UNREADABLE"),
    ],
)
def test_what_cannot_be_written_or_read_is_said_before_a_town_is_played(
    tmp_path: Path, words: tuple[str, ...], code: str
) -> None:
    (tmp_path / "something.json").write_text("{}")
    done = called(*SMALL, *words)
    assert done.exit_code == cli.MISUSE
    assert code in done.output
    assert "sales" not in done.output
