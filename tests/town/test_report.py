"""What a town shows: figures that agree with what happened, a page of its own, a picture."""

import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer import Typer
from typer.testing import CliRunner

from simulator.town.adversaries.adversary import Claim
from simulator.town.campaign.playing import Played
from simulator.town.campaign.result_table import page as campaign_page
from simulator.town.campaign.summary import Summary
from simulator.town.checks.town_checks import TownChecks
from simulator.town.logs import quiet
from simulator.town.plan import Kind, Plan, Size, make_plan
from simulator.town.reached import watching
from simulator.town.report.attack import Attack
from simulator.town.report.few_lines import summary
from simulator.town.report.figures import Figures, gather
from simulator.town.report.html_page import write_page
from simulator.town.report.lag import LagBook, Waits, waits
from simulator.town.report.observer import Observer
from simulator.town.report.picture import TownPicture
from simulator.town.report.snapshot import ShopView, Snapshot, take_snapshot
from simulator.town.report.words import Words
from simulator.town.state import Town
from simulator.town.world import World

COMMAND = "borsellino sim town --seed 2"
HOUR_MS = 3_600_000


@dataclass
class Seen:
    plan: Plan
    town: Town
    figures: Figures
    shot: Snapshot

    def words(self, lang: str) -> Words:
        people = {person.key: person for person in self.plan.people}
        return Words.of(lang, {shop.key: shop.name for shop in self.plan.shops}, people)


@pytest.fixture(scope="module")
def seen() -> Generator[Seen]:
    plan, checks = make_plan(2, days=3, size=Size(people=3, shops=2), faults=0.3), TownChecks()
    observer, shot = Observer(checks), None
    with quiet(), watching() as reached, World(plan, watchers=[checks, observer]) as world:
        for happening in plan.happenings:
            world.step(happening)
            if happening.kind is Kind.BUY:
                shot = take_snapshot(world.town, observer)
        world.end()
        figures = gather(world.town, observer, reached, (), None, command=COMMAND, lang="en")
        assert shot is not None
        yield Seen(plan, world.town, figures, shot)


# figures ------------------------------------------------------------------------------------


def test_the_figures_agree_with_what_happened_and_with_the_books(seen: Seen) -> None:
    figures, truth = seen.figures, seen.town.truth
    assert figures.complete
    assert figures.holds
    assert figures.sales > 0
    assert figures.sales_cents - figures.void_cents == sum(item.cents for item in truth.deliveries)
    assert sum(shop.cents for shop in figures.shops) == sum(figures.by_category.values())
    assert figures.loaded_cents == sum(truth.loaded.values()) > 0
    assert figures.funded == sum(figures.accounts.values())
    assert sum(day.faults for day in figures.days) == truth.struck.total() > 0
    assert figures.verifier["ok"]
    assert json.loads(json.dumps(figures.as_json()))["goods_cents"] == figures.sales_cents


def test_every_entry_of_a_till_is_waited_for_once(seen: Seen) -> None:
    entries = sum(len(till.entries(0)) for till in seen.town.tills)
    figures = seen.figures
    assert figures.waits.entries + figures.still_waiting + figures.never_came == entries
    assert figures.waits.longest_s >= figures.waits.median_s


def test_how_long_entries_waited() -> None:
    book = LagBook()
    book.write(7, 2, 0)
    book.write(7, 2, HOUR_MS)
    book.write(7, 3, 2 * HOUR_MS)
    book.acknowledge(7, 1, 3 * HOUR_MS)
    assert book.waiting(7) == 2
    book.acknowledge(7, 3, 5 * HOUR_MS)
    assert book.waiting(7) == 0
    assert waits(book.waited) == Waits(entries=3, median_s=3 * 3600, longest_s=5 * 3600)
    assert waits([]) == Waits(0, 0, 0)


@pytest.mark.parametrize(
    ("change", "caught"),
    [
        ({}, True),
        ({"gain": 301}, False),
        ({"claim": Claim.STOPPED}, False),
        ({"claim": Claim.STOPPED, "gain": 0}, True),
        ({"attempts": 0}, False),
        ({"overdue": ("never seen",)}, False),
    ],
)
def test_an_attack_that_gains_more_or_is_not_seen_is_a_fraud_missed(
    seen: Seen, change: dict[str, Any], caught: bool
) -> None:
    attack = Attack(
        name="thief", source="PROTOCOL 1.1", claim=Claim.BOUNDED, attempts=2, gain=300, bound=300,
        bound_words="one sale", seen_by="at upload", seen={"PURSE_FORKED": "d001"}, refusals={},
        overdue=(),
    )  # fmt: skip
    figures = replace(seen.figures, attacks=(replace(attack, **change),))
    told = write_page(figures, seen.words("en"))
    assert figures.holds is caught
    assert figures.as_json()["frauds_missed"] == (not caught)
    assert ("NOT AS STATED" in told) is not caught
    assert "PURSE_FORKED (d001)" in told


# the page -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["it", "en"])
def test_the_page_loads_nothing_and_says_everything_in_words(seen: Seen, lang: str) -> None:
    told = write_page(seen.figures, seen.words(lang))
    elsewhere = re.findall(r"(?:src|href)=|url\([^#]|@import|<script", told)
    assert elsewhere == []
    assert f"<code>{COMMAND}</code>" in told
    assert not re.search(r">(section|head|plot|table|looked|chain|is|with)_\w+<", told)
    assert not re.search(r"\{\w+\}", told.partition("</style>")[2])
    plots = re.findall(r"<svg.*?</svg>", told, re.DOTALL)
    assert len(plots) == 6
    for plot in plots:
        assert ET.fromstring(plot).find("{http://www.w3.org/2000/svg}title") is not None


def test_a_breach_is_told_with_its_sentence(seen: Seen) -> None:
    failure = {
        "code": "TOWN_GOODS_ASTRAY", "law": 0, "subject": "7:12", "what": "handed over twice",
        "cents": 350, "happening": "d001", "seed": 2,
    }  # fmt: skip
    figures = replace(seen.figures, failure=failure, cents_astray=350)
    words = seen.words("en")
    lines = list(summary(figures, words))
    assert lines[-1].startswith("NOT proved")
    assert lines[-2].startswith("TOWN_GOODS_ASTRAY: Goods and money differ: handed over twice")
    assert "handed over twice" in write_page(figures, words)
    assert lines[-1] not in list(summary(seen.figures, words))


# the picture --------------------------------------------------------------------------------


def drawn(shot: Snapshot, words: Words, width: int, height: int) -> list[str]:
    console = Console(width=width, height=height, file=io.StringIO(), record=True)
    console.print(TownPicture(shot, words, speed=5_000))
    return console.export_text().splitlines()


@pytest.mark.parametrize("lang", ["it", "en"])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
@pytest.mark.parametrize("shops", [1, 2, 5, 30])
def test_the_picture_fits(seen: Seen, lang: str, width: int, height: int, shops: int) -> None:
    many = tuple(seen.shot.shops[number % 2] for number in range(shops))
    lines = drawn(replace(seen.shot, shops=many), seen.words(lang), width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert not [line for line in lines if re.search(r"[a-z]_[a-z]|\{", line)]


def test_the_picture_says_its_states_in_words(seen: Seen) -> None:
    first, *others = seen.shot.shops
    till = replace(first.tills[0], open=True, waiting=7, cases=1)
    shop: ShopView = replace(first, online=False, tills=(till,), visitors=("Maria Rossi",))
    shot = replace(seen.shot, shops=(shop, *others), recovering=True, alarms_missed=1)
    told = "\n".join(drawn(shot, seen.words("en"), 120, 40))
    for words in (
        "OFFLINE", "open, 7 waiting, 1 parked", "here: Maria Rossi", "put back: waits", "1 missed",
    ):  # fmt: skip
        assert words in told


# the page of a campaign -----------------------------------------------------------------------


def test_a_campaigns_result_is_put_into_its_place_of_a_page(tmp_path: Path) -> None:
    played = Played(
        seed=1, days=7, sales=2100, faults={"tear_after": 12}, cents=123_45, reached={}, seconds=60
    )
    (tmp_path / "sum.json").write_text(json.dumps(Summary.of([played]).as_json()))
    text = "before\n<!-- campaign {} -->\nold\n<!-- end -->\nafter\n"
    page = tmp_path / "page.md"
    page.write_text(text.format("million") + text.format("usual"))
    app = Typer()
    app.command()(campaign_page)
    done = CliRunner().invoke(app, [str(tmp_path / "sum.json"), "--page", str(page)])
    assert done.exit_code == 0
    told = page.read_text()
    assert told.startswith(text.format("million") + "before\n<!-- campaign usual -->\n| | |")
    assert "| sales | 2,100 (123.45 EUR) |" in told
    assert "card pulled out before the answer 12" in told
    assert told.endswith("<!-- end -->\nafter\n")
    wrong = [str(tmp_path / "sum.json"), "--page", str(page), "--place", "other"]
    assert CliRunner().invoke(app, wrong).exit_code == 1
