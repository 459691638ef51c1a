"""The simulated town on a Saturday with a shop offline, and plots of its report."""

import io
from functools import cache

from rich.console import Console

from simulator.town.checks.town_checks import TownChecks
from simulator.town.logs import quiet
from simulator.town.plan import Plan, Size, make_plan
from simulator.town.reached import watching
from simulator.town.report import charts
from simulator.town.report.figures import Figures, gather
from simulator.town.report.observer import Observer
from simulator.town.report.picture import TownPicture
from simulator.town.report.snapshot import Snapshot, take_snapshot
from simulator.town.report.words import Words
from simulator.town.world import World
from tests.pictures.svg import without_fonts

SEED, DAYS, FAULTS = 4, 9, 0.25
MOMENT_DAY, MOMENT_HOUR = 7, 6
WIDTH, HEIGHT, SPEED = 100, 26, 9_000
COMMAND = "borsellino sim town --seed 4 --days 9 --people 8 --shops 4 --faults 0.25"


def pictures() -> dict[str, str]:
    """The live picture in both languages, two plots and the equation in English."""
    shot, figures, plan = _played()
    english = _words("en", plan)
    return {
        "town.svg": _live(shot, english),
        "town-it.svg": _live(shot, _words("it", plan)),
        "town-spending.svg": charts.spending(figures, english) + "\n",
        "town-lag.svg": charts.sync_lag(figures, english) + "\n",
        "town-equation.svg": charts.equation(figures, english) + "\n",
    }


@cache
def _played() -> tuple[Snapshot, Figures, Plan]:
    plan, checks = make_plan(SEED, DAYS, Size(8, 4), FAULTS), TownChecks()
    observer, shot = Observer(checks), None
    moment_ms = plan.start_ms + (MOMENT_DAY * 24 + MOMENT_HOUR) * 3_600_000
    with quiet(), watching() as reached, World(plan, watchers=[checks, observer]) as world:
        for happening in plan.happenings:
            if shot is None and happening.at_ms > moment_ms:
                shot = take_snapshot(world.town, observer)
            world.step(happening)
        world.end()
        figures = gather(world.town, observer, reached, (), None, command=COMMAND, lang="en")
    assert shot is not None
    return shot, figures, plan


def _words(lang: str, plan: Plan) -> Words:
    people = {person.key: person for person in plan.people}
    return Words.of(lang, {shop.key: shop.name for shop in plan.shops}, people)


def _live(shot: Snapshot, words: Words) -> str:
    console = Console(
        record=True, width=WIDTH, height=HEIGHT, file=io.StringIO(), force_terminal=True,
        color_system="truecolor", legacy_windows=False, _environ={},
    )  # fmt: skip
    console.print(TownPicture(shot, words, SPEED))
    return without_fonts(console.export_svg(title="borsellino sim town"))
