"""One seed of a campaign: a town of the wanted number of sales, with every check."""

from dataclasses import asdict, dataclass, field
from typing import Any

from cardlib.ports import Clock
from cardlib.system import SystemClock
from simulator.errors import TownError
from simulator.town.checks.town_checks import TownChecks
from simulator.town.logs import be_quiet
from simulator.town.plan import Kind, Plan, Size, make_plan
from simulator.town.reached import Reached, watching
from simulator.town.state import Town
from simulator.town.world import World

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

    @property
    def key(self) -> int:
        """Its seed."""
        return self.seed

    def as_json(self) -> dict[str, Any]:
        """One object."""
        return asdict(self)


def sized_plan(seed: int, measure: Measure) -> Plan:
    """The town of ``seed``, as many days as its people need for the wanted purchases."""
    size = Size(people=measure.people, shops=measure.shops, trips=measure.trips)
    days = _FIRST_DAYS
    while True:
        plan = make_plan(seed, days, size, measure.faults)
        if plan.count(Kind.BUY) >= measure.sales:
            return plan
        days += _MORE_DAYS


def play_seed(seed: int, measure: Measure, clock: Clock | None = None) -> Played:
    """Plays one town to its end, or to the first breach of a law."""
    clock = clock or SystemClock()
    started = clock.monotonic_ms()
    be_quiet()
    plan, checks = sized_plan(seed, measure), TownChecks(strict_alarms=False)
    failure: dict[str, Any] | None = None
    with watching() as reached, World(plan, watchers=[checks]) as world:
        try:
            world.play()
        except TownError as error:
            failure = {"code": error.code, **error.facts}
        return _played(world.town, checks, reached, failure, clock.monotonic_ms() - started)


def _played(
    town: Town, checks: TownChecks, reached: Reached, failure: dict[str, Any] | None, ms: int
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
        seconds=ms / 1000,
        reached=reached.as_json(),
        failure=failure,
    )
