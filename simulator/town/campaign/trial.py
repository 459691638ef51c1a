"""One adversary in one small town, with every check: what came of it, as figures."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from simulator.errors import TownError
from simulator.town.adversaries.adversary import judge
from simulator.town.adversaries.roll import ADVERSARIES, hyphened
from simulator.town.checks.town_checks import TownChecks
from simulator.town.logs import be_quiet
from simulator.town.plan import Plan
from simulator.town.reached import watching
from simulator.town.report.attack import attack_of
from simulator.town.report.failing import Asked
from simulator.town.shrink import BROKEN, Failure, Recipe
from simulator.town.unreached import gone_by_adversary
from simulator.town.world import Watcher, World

IDLE = "TOWN_ATTACK_IDLE"


@dataclass(frozen=True, slots=True)
class Ground:
    """The town of a trial: few people who shop often, for a card costs more than twenty sales."""

    days: int = 2
    people: int = 2
    shops: int = 2
    trips: float = 6.0
    faults: float = 0.05

    def plan(self, seed: int) -> Plan:
        """The history of ``seed``."""
        return self.recipe(seed).plan()

    def recipe(self, seed: int) -> Recipe:
        """What makes it."""
        return Recipe(
            seed, self.days, self.people, self.shops, self.trips, self.faults, one_till=True
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of an adversary on a seed. Money in cents.

    ``seen``: codes by which it was seen, each with the seconds since its first attempt, None
    where that was at the very end; ``failure``: the code of what did not come as the threat
    model says (a law, a gain, what was not seen), None for none.
    """

    name: str
    seed: int
    attempts: int = 0
    gain: int = 0
    bound: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    seen: dict[str, int | None] = field(default_factory=dict)
    alarms_false: int = 0
    alarms_missed: int = 0
    reached: list[str] = field(default_factory=list)
    """Ways of tables that honest towns are excused from, and that it went: ``table: way``."""
    failure: str | None = None
    command: str = ""
    """Plays this town again, with its shortest history where it fails."""

    @property
    def key(self) -> tuple[str, int]:
        """Who, and in which town."""
        return self.name, self.seed

    @property
    def acted(self) -> bool:
        """Whether there was a moment to strike at all."""
        return self.attempts > 0

    @property
    def held(self) -> bool:
        """Whether it was stopped or bounded, and seen, and no alarm was false or missed."""
        return self.failure is None and not self.alarms_false and not self.alarms_missed

    def as_json(self) -> dict[str, Any]:
        """One object."""
        return asdict(self)


def play_trial(name: str, seed: int, ground: Ground) -> Trial:
    """Plays one town with one adversary of the roll."""
    be_quiet()
    adversary, checks, begun = ADVERSARIES[name](), TownChecks(strict_alarms=False), 0
    failure = None
    watchers: list[Watcher] = [adversary, checks]
    with watching() as reached, World(ground.plan(seed), watchers=watchers) as world:
        try:
            for happening in world.town.plan.happenings:
                world.step(happening)
                begun = begun or (world.town.time.now_ms if adversary.tally.attempts else 0)
            world.end()
            judge(adversary, seed)
        except BROKEN as error:
            failure = None if Failure.of(error).code == IDLE else _told(error)
        attack = attack_of(adversary, world.town)
        return Trial(
            name=name, seed=seed, attempts=attack.attempts, gain=attack.gain, bound=attack.bound,
            refusals=dict(attack.refusals), seen=_since(begun, attack.seen, attack.seen_ms),
            alarms_false=checks.counts.alarms_false, alarms_missed=checks.counts.alarms_missed,
            reached=gone_by_adversary(reached.counts), failure=failure,
            command=command_of(name, seed, ground),
        )  # fmt: skip


def command_of(name: str, seed: int, ground: Ground) -> str:
    """Plays the town of a trial again, with its shortest history where it fails."""
    return Asked(ground.recipe(seed), (hyphened(name),)).command


def _told(error: BaseException) -> str:
    if isinstance(error, TownError):
        return f"{error.code}: {error.facts.get('what')} at {error.facts.get('happening')}"
    failure = Failure.of(error)
    return f"{failure.code}: {failure.says}"


def _since(
    begun_ms: int, seen: Mapping[str, str], at_ms: Mapping[str, int]
) -> dict[str, int | None]:
    """A happening's moment is that of its beginning: what it goes on to do may come before."""
    known = {code: max(0, at_ms[code] - begun_ms) // 1000 for code in seen if code in at_ms}
    return {code: known.get(code) for code in seen}
