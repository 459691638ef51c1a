"""One seed of a campaign: a town of the wanted number of sales, with every check."""

import traceback
from dataclasses import asdict, dataclass, field, replace
from pathlib import PurePath
from typing import Any

from cardlib.ports import Clock
from cardlib.system import SystemClock
from simulator.errors import TownError
from simulator.town.checks.town_checks import TownChecks
from simulator.town.logs import be_quiet
from simulator.town.plan import Kind, Plan
from simulator.town.reached import Reached, watching
from simulator.town.report.failing import Asked
from simulator.town.shrink import BROKEN, Failure, Recipe
from simulator.town.state import Town
from simulator.town.world import World, moment_of

PEOPLE, SHOPS, TRIPS = 12, 4, 20.0
"""Few people who shop often: a report of a till then carries several sales, and cards cost less."""
_FIRST_DAYS, _MORE_DAYS = 28, 7


@dataclass(frozen=True, slots=True)
class Measure:
    """How much of a town is played: planned purchases, and the share of happenings that fail."""

    sales: int
    faults: float
    people: int = PEOPLE
    shops: int = SHOPS
    trips: float = TRIPS


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of one seed. ``failure`` holds the facts of the breach, None for none.

    ``sales`` are those whose goods changed hands; ``faults`` those that truly struck.
    """

    seed: int
    days: int
    sales: int
    faults: dict[str, int]
    cents: int
    alarms_explained: int = 0
    alarms_false: int = 0
    alarms_missed: int = 0
    seconds: float = 0.0
    reached: dict[str, dict[str, int]] = field(default_factory=dict)
    failure: dict[str, Any] | None = None
    command: str = ""
    """Plays this town again, with its shortest history where it fails."""

    @property
    def key(self) -> int:
        """Its seed."""
        return self.seed

    def as_json(self) -> dict[str, Any]:
        """One object."""
        return asdict(self)


def recipe_of(seed: int, measure: Measure) -> Recipe:
    """The town of ``seed``, as many days as its people need for the wanted purchases."""
    usual = Recipe(seed, _FIRST_DAYS, measure.people, measure.shops, measure.trips, measure.faults)
    while usual.plan().count(Kind.BUY) < measure.sales:
        usual = replace(usual, days=usual.days + _MORE_DAYS)
    return usual


def sized_plan(seed: int, measure: Measure) -> Plan:
    """The history of :func:`recipe_of`."""
    return recipe_of(seed, measure).plan()


def play_seed(seed: int, measure: Measure, clock: Clock | None = None) -> Played:
    """Plays one town to its end, or to whatever it breaks at."""
    clock = clock or SystemClock()
    started = clock.monotonic_ms()
    be_quiet()
    recipe = recipe_of(seed, measure)
    command = Asked(recipe).command
    try:
        played = _played(recipe)
    except BROKEN as error:  # not even its founding went well
        played = Played(
            seed=seed, days=recipe.days, sales=0, faults={}, cents=0, failure=facts_of(error)
        )
    return replace(played, command=command, seconds=(clock.monotonic_ms() - started) / 1000)


def facts_of(error: BaseException) -> dict[str, Any]:
    """Of a breach, its own facts; of any other error class, first line, place and happening."""
    if isinstance(error, TownError):
        return {"code": error.code, **error.facts}
    said = str(error).splitlines()
    steps = traceback.extract_tb(error.__traceback__)
    where = f"{PurePath(steps[-1].filename).name}:{steps[-1].lineno}" if steps else ""
    return {
        "code": Failure.of(error).code, "happening": moment_of(error), "cents": 0,
        "what": said[0] if said else "", "where": where,
    }  # fmt: skip


def _played(recipe: Recipe) -> Played:
    checks = TownChecks(strict_alarms=False)
    failure: dict[str, Any] | None = None
    with watching() as reached, World(recipe.plan(), watchers=[checks]) as world:
        try:
            world.play()
        except BROKEN as error:
            failure = facts_of(error)
        return _told(world.town, checks, reached, failure)


def _told(
    town: Town, checks: TownChecks, reached: Reached, failure: dict[str, Any] | None
) -> Played:
    counts, truth = checks.counts, town.truth
    return Played(
        seed=town.seed,
        days=town.plan.days,
        sales=sum(item.cents > 0 for item in truth.deliveries),
        faults={str(kind): count for kind, count in sorted(truth.struck.items())},
        cents=sum(item.cents for item in truth.deliveries),
        alarms_explained=counts.alarms_explained,
        alarms_false=counts.alarms_false,
        alarms_missed=counts.alarms_missed,
        reached=reached.as_json(),
        failure=failure,
    )
