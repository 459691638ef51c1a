"""Which wallet pays how much of which category: as much as possible, earliest expiry first.

Paying greedily, category by category, can leave a category unpaid that another
split would have covered. So this is a small maximum flow from wallets to
categories: wallets are taken in the order of their expiry and each pays all it
can, where needed by moving what an earlier wallet pays to another category;
no wallet ever pays less because a later one joins.

The day limit is purse-wide: the smallest non-zero limit *of the wallets touched*
bounds the whole purse. Each limit is tried as the bound, without the wallets
that have a lower one.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Source:
    """A wallet that may pay: cents available, categories as a mask, limit in cents or 0."""

    slot: int
    valid_to: int
    cents: int
    categories: int
    day_limit_cents: int = 0

    def allows(self, category: int) -> bool:
        """Whether it buys ``category``."""
        return bool(self.categories >> category & 1)


@dataclass(slots=True)
class Allocation:
    """Cents by slot and category."""

    paid: dict[tuple[int, int], int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Everything that the wallets pay."""
        return sum(self.paid.values())

    def of_slot(self, slot: int) -> int:
        """What one wallet pays."""
        return sum(cents for (paying, _), cents in self.paid.items() if paying == slot)

    def of_category(self, category: int) -> int:
        """What is paid of one category."""
        return sum(cents for (_, bought), cents in self.paid.items() if bought == category)


def allocate(
    sources: Iterable[Source],
    demand: Mapping[int, int],
    *,
    spent_today: int = 0,
    sale_limit: int = 0,
) -> Allocation:
    """The split that pays most of ``demand`` (cents by category); ``sale_limit`` 0 is none."""
    ordered = sorted(sources, key=lambda source: (source.valid_to, source.slot))
    cap = sale_limit or sum(demand.values())
    best = Allocation()
    for limit in _limits(ordered):
        admitted = [item for item in ordered if not 0 < item.day_limit_cents < (limit or 1 << 31)]
        bound = min(cap, max(0, limit - spent_today)) if limit else cap
        found = _flow(admitted, demand, bound)
        if found.total > best.total:
            best = found
    return best


def _limits(sources: Sequence[Source]) -> list[int]:
    """Bounds to try, the one that admits every wallet first: ties keep the order of expiry.

    0 stands for the wallets that have no limit, alone.
    """
    return [*sorted({item.day_limit_cents for item in sources if item.day_limit_cents}), 0]


def _flow(sources: Sequence[Source], demand: Mapping[int, int], bound: int) -> Allocation:
    unmet = {category: cents for category, cents in sorted(demand.items()) if cents > 0}
    paid: dict[tuple[int, int], int] = {}
    for source in sources:
        left = min(source.cents, bound)
        while left and (path := _path(source, sources, unmet, paid)):
            moved = _push(path, left, unmet, paid)
            left, bound = left - moved, bound - moved
    return Allocation({key: cents for key, cents in sorted(paid.items()) if cents})


def _path(
    start: Source,
    sources: Sequence[Source],
    unmet: Mapping[int, int],
    paid: Mapping[tuple[int, int], int],
) -> list[tuple[int, int]]:
    """Slot and category, alternately given and taken back, from ``start`` to an unmet category."""
    queue: deque[tuple[Source, list[tuple[int, int]]]] = deque([(start, [])])
    seen = {start.slot}
    while queue:
        source, path = queue.popleft()
        for category in unmet:
            if not source.allows(category):
                continue
            longer = [*path, (source.slot, category)]
            if unmet[category]:
                return longer
            for other in sources:
                if other.slot not in seen and paid.get((other.slot, category)):
                    seen.add(other.slot)
                    queue.append((other, [*longer, (other.slot, category)]))
    return []


def _push(
    path: list[tuple[int, int]],
    left: int,
    unmet: dict[int, int],
    paid: dict[tuple[int, int], int],
) -> int:
    """Moves as much as the path bears; even steps are paid more, odd ones less."""
    moved = min([left, unmet[path[-1][1]], *(paid[key] for key in path[1::2])])
    for number, key in enumerate(path):
        paid[key] = paid.get(key, 0) + (-moved if number % 2 else moved)
    unmet[path[-1][1]] -= moved
    return moved
