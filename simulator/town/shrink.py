"""From a plan that fails to the shortest history that still fails with the same code.

::

    shrunk = shrink(recipe, Failure.of(error), play, clock)
    shrunk.told("it")                      # lines for people

Delta debugging (Zeller's ddmin) over happenings, then over accidents, whole groups first, until
nothing more can be left out or the budget of runs and seconds is spent. Each happening has its
own sub-seed, so what stays behaves as it did. A :class:`Recipe` names the plan by its arguments
and by what was left out: a small JSON file that replays it.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Self

from cardlib.calendar import local_time
from cardlib.errors import CodedError
from cardlib.ports import Clock
from cardlib.text import catalogue
from cardlib.wire.money import Money
from simulator.town.killed import Killed
from simulator.town.plan.finale import FINALE
from simulator.town.plan.making import make_plan, one_till_each
from simulator.town.plan.model import DESK, Happening, Mood, Plan, Size
from simulator.town.world import AT_END, moment_of

RUNS_MAX, SECONDS_MAX = 400, 300.0
BROKEN = (Exception, Killed)
"""Whatever a town ends with is a failure: a sudden death that nobody has taken up, too."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The arguments that make a plan, and the ids of what is left out of it."""

    seed: int
    days: int
    people: int = 12
    shops: int = 3
    trips: float = 1.0
    faults: float = 0.0
    gone: frozenset[str] = frozenset()
    one_till: bool = False
    """One till in each shop."""

    def plan(self) -> Plan:
        """The same history every time."""
        return _whole(replace(self, gone=frozenset())).without(self.gone)

    def without(self, ids: Collection[str]) -> "Recipe":
        """The same, with less in it."""
        return replace(self, gone=self.gone | set(ids))

    def write(self, path: Path) -> None:
        """As JSON."""
        path.write_text(json.dumps(asdict(self) | {"gone": sorted(self.gone)}, indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Self:
        """What :meth:`write` wrote."""
        fields = json.loads(path.read_text())
        return cls(**fields | {"gone": frozenset(fields["gone"])})


@lru_cache(maxsize=1)
def _whole(recipe: Recipe) -> Plan:
    """Nothing left out; made once for all the runs of a search."""
    size = Size(recipe.people, recipe.shops, recipe.trips)
    plan = make_plan(recipe.seed, recipe.days, size, recipe.faults)
    return one_till_each(plan) if recipe.one_till else plan


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong: a code, or the name of an error that has none; and after what."""

    code: str
    happening: str = ""
    says: str = ""

    @property
    def at_end(self) -> bool:
        """Whether it shows only when everything has happened."""
        return self.happening == AT_END

    def same_as(self, other: "Failure") -> bool:
        """Whether both are the same kind of failure: a cut history has no end to fail at."""
        return (self.code, self.at_end) == (other.code, other.at_end)

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """From whatever a run ended with."""
        if isinstance(error, CodedError):
            facts = error.facts
            said = ", ".join(f"{name} {value}" for name, value in sorted(facts.items()))
            return cls(error.code, str(facts.get("happening", "")), said)
        return cls(type(error).__name__, moment_of(error), str(error))


Play = Callable[[Plan], None]
"""Plays a plan with its checks; raises what goes wrong."""


def failure_of(play: Play, plan: Plan) -> Failure | None:
    """How a plan fails, None when it does not."""
    try:
        play(plan)
    except BROKEN as error:
        return Failure.of(error)
    return None


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The shortest history found; ``whole``: nothing more can be left out of it."""

    recipe: Recipe
    plan: Plan
    failure: Failure
    runs: int
    whole: bool

    def told(self, lang: str, file: Path | None = None) -> list[str]:
        """Seed, the history in plain words, what goes wrong, and how to see it again."""
        label = catalogue.label
        lines = [
            label("town", "shrunk", lang, seed=self.recipe.seed, code=self.failure.code,
                  happenings=len(self.plan.happenings), accidents=len(self.plan.accidents),
                  runs=self.runs)
        ]  # fmt: skip
        lines += [line for item in self.plan.happenings for line in told(item, lang)]
        lines.append(f"{self.failure.code}: {self.failure.says}")
        if file is not None:
            lines.append(
                label("town", "replay", lang, command=f"borsellino sim town --replay {file}")
            )
        return lines


def told(item: Happening, lang: str) -> list[str]:
    """One happening in plain words, its accidents below it."""
    when = local_time(item.at_ms // 1000).strftime("%d.%m. %H:%M")
    cents = item.cents or sum(amount for _, amount in item.basket)
    facts = {
        "person": item.person, "shop": item.shop or DESK, "till": item.till + 1,
        "seconds": item.seconds, "amount": catalogue.money(Money(cents), lang),
    }  # fmt: skip
    lines = [f"{when}  {catalogue.label('town_happening', item.kind, lang, **facts)}  [{item.id}]"]
    if item.mood is not Mood.PATIENT:
        mood = catalogue.label("town_mood", item.mood, lang, other=item.other)
        lines.append(f"               {mood}")
    for accident in item.accidents:
        what = catalogue.label("town_accident", accident.kind, lang, at=accident.at)
        lines.append(f"               {what}")
    return lines


@dataclass(slots=True)
class _Search:
    recipe: Recipe
    wanted: Failure
    play: Play
    clock: Clock
    runs_max: int
    until_ms: int
    runs: int = 0
    seen: dict[frozenset[str], Failure | None] = field(default_factory=dict)

    @property
    def spent(self) -> bool:
        return self.runs >= self.runs_max or self.clock.monotonic_ms() >= self.until_ms

    def fails(self, gone: frozenset[str]) -> Failure | None:
        """The same failure without these; None when it is another one or none, or no time."""
        if gone not in self.seen:
            if self.spent:
                return None
            self.runs += 1
            found = failure_of(self.play, self.recipe.without(gone).plan())
            self.seen[gone] = found if found and found.same_as(self.wanted) else None
        return self.seen[gone]

    def removable(self, plan: Plan) -> list[str]:
        """What may go: not the finale, where the failure is one of the end."""
        kept = self.wanted.at_end
        return [item.id for item in plan.happenings if not (kept and item.id.startswith(FINALE))]

    def smallest(self, ids: Sequence[str], gone: frozenset[str]) -> frozenset[str]:
        """``gone``, and of ``ids`` as many as can go; ddmin with complements."""
        kept, parts = list(ids), 2
        while kept and not self.spent:
            size = max(1, -(-len(kept) // parts))
            for start in range(0, len(kept), size):
                less = gone | set(kept[start : start + size])
                if self.fails(less):
                    gone, kept = less, kept[:start] + kept[start + size :]
                    parts = max(parts - 1, 2)
                    break
            else:
                if size == 1:
                    break
                parts = min(parts * 2, len(kept))
        return gone


def shrink(
    recipe: Recipe, failure: Failure, play: Play, clock: Clock, *,
    runs_max: int = RUNS_MAX, seconds_max: float = SECONDS_MAX,
) -> Shrunk:  # fmt: skip
    """The shortest history that still fails as ``recipe`` does; ``clock`` is the machine's."""
    until = clock.monotonic_ms() + int(seconds_max * 1000)
    search = _Search(recipe, failure, play, clock, runs_max, until)
    gone, size = _after(recipe.plan(), failure), -1
    gone = gone if search.fails(gone) else frozenset()
    gone = _without_groups(search, gone)
    while len(gone) != size and not search.spent:
        size = len(gone)
        plan = recipe.without(gone).plan()
        gone = search.smallest(search.removable(plan), gone)
        plan = recipe.without(gone).plan()
        gone = search.smallest([item.id for item in plan.accidents], gone)
    shorter = recipe.without(gone)
    found = search.seen.get(gone) or failure
    return Shrunk(shorter, shorter.plan(), found, search.runs, not search.spent)


def _without_groups(search: _Search, gone: frozenset[str]) -> frozenset[str]:
    """Whole people, tills and kinds of happenings first: most have no part in it."""
    groups: dict[tuple[str, object], set[str]] = {}
    plan = search.recipe.without(gone).plan()
    removable = set(search.removable(plan))
    for item in plan.happenings:
        if item.id not in removable:
            continue
        for key in (("person", item.person), ("place", item.place), ("kind", item.kind)):
            groups.setdefault(key, set()).add(item.id)
    for ids in sorted(groups.values(), key=lambda ids: (-len(ids), min(ids))):
        if not ids <= gone and search.fails(gone | ids):
            gone |= ids
    return gone


def _after(plan: Plan, failure: Failure) -> frozenset[str]:
    """What came after the happening that failed cannot matter."""
    ids = [item.id for item in plan.happenings]
    return (
        frozenset(ids[ids.index(failure.happening) + 1 :])
        if failure.happening in ids
        else frozenset()
    )
