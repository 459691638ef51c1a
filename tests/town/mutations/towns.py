"""The towns that defects are looked for in: small, quick, and full of faults.

All begin three days before a month ends, so that a second load meets the rest of the first;
customers change their minds often, and the shops are paid in between.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from simulator.town.adversaries.adversary import Adversary
from simulator.town.adversaries.collusion import Collusion
from simulator.town.adversaries.forked_journal import ForkedJournal
from simulator.town.adversaries.invented_record import InventedRecord
from simulator.town.adversaries.reopened_at_desk import ReopenedAtDesk
from simulator.town.adversaries.replayed_load import ReplayedLoad
from simulator.town.adversaries.second_state import Clone
from simulator.town.adversaries.stale_read import StaleReadBoard
from simulator.town.adversaries.status_words import StatusWords
from simulator.town.plan import Happening, Kind, Plan, Size, make_plan
from simulator.town.plan.calendar import instant_ms
from simulator.town.plan.making import one_till_each
from simulator.town.plan.model import DESK
from simulator.town.randomness import sub_seed
from tests.town.mutations.incidents import ForgedGrant, LeftOpen
from tests.town.mutations.probes import (
    Guesser,
    LateOnReplaced,
    LongOffline,
    OldState,
    Reported,
    ShortLived,
    ToldTwice,
)

START, DAYS, FAULTS = date(2026, 10, 29), 5, 0.3
SIZE = Size(people=3, shops=2, trips=4.0)
_VOID_ONE_IN = 4
_MINUTE_MS = 60_000
_MORNING, _NOON, _EVENING = 8 * 60, 13 * 60, 21 * 60

Change = Callable[[Plan], Iterable[Happening]]
"""Further happenings for a plan."""


@dataclass(frozen=True, slots=True)
class Town:
    """How a plan is made from a seed, and who attacks in it."""

    told: str
    """What there is in it, for people."""
    changes: Sequence[Change]
    adversaries: tuple[Callable[[], Adversary], ...] = ()

    def plan(self, seed: int) -> Plan:
        """The history of ``seed``."""
        plan = one_till_each(make_plan(seed, DAYS, SIZE, FAULTS, START))
        more = [item for change in self.changes for item in change(plan)]
        ends = [item for item in plan.happenings if item.id.startswith("end-")]
        usual = [item for item in plan.happenings if not item.id.startswith("end-")]
        ordered = sorted([*usual, *more], key=lambda item: (item.at_ms, item.id))
        return replace(plan, happenings=(*ordered, *ends))


def _at(plan: Plan, kind: Kind, day: int, minute: int, **fields: Any) -> Happening:
    name = f"more-d{day:03}-{kind}-{minute}-{fields.get('person', '')}{fields.get('shop', '')}"
    at_ms = instant_ms(START + timedelta(days=day), minute)
    return Happening(
        id=name, at_ms=at_ms, kind=kind, seed=sub_seed(plan.seed, name), **fields
    )  # fmt: skip


def _voids(plan: Plan) -> Iterator[Happening]:
    """Some come back a minute after they have bought."""
    for item in plan.happenings:
        if item.kind is Kind.BUY and item.seed % _VOID_ONE_IN == 0:
            name = f"{item.id}-back"
            yield replace(
                item, id=name, at_ms=item.at_ms + _MINUTE_MS, kind=Kind.VOID, basket=(),
                seed=sub_seed(plan.seed, name), accidents=(), pin_slips=0, forgets=False,
            )  # fmt: skip


def _payments(plan: Plan) -> Iterator[Happening]:
    """The shops are paid while the town goes on."""
    for day in (2, 4):
        until_ms = instant_ms(START + timedelta(days=day - 1), _MORNING + 600)
        yield _at(plan, Kind.SETTLE, day, _MORNING + 60, until_ms=until_ms)
        yield _at(plan, Kind.PAY, day, _NOON)


def _restored(plan: Plan) -> Iterator[Happening]:
    """The backend loses an afternoon, with everything that was uploaded in it."""
    yield _at(plan, Kind.BACKUP_BACKEND, 2, _NOON + 30)
    yield _at(plan, Kind.RESTORE_BACKEND, 2, _EVENING)
    for day in range(3, DAYS):
        yield _at(plan, Kind.SYNC, day, 5, shop=DESK)


def _lost(plan: Plan) -> Iterator[Happening]:
    """On the last evening but one everybody loses the card: what is open then stays open."""
    for person in plan.people:
        yield _at(plan, Kind.LOSE_CARD, DAYS - 2, _EVENING, person=person.key)


def _fast_clocks(plan: Plan) -> Iterator[Happening]:
    """Each till is wrong by an hour or two for a while, and reports meanwhile."""
    for day in range(1, DAYS):
        for shop in plan.shops:
            yield _at(plan, Kind.CLOCK_JUMP, day, _MORNING + 60, shop=shop.key, seconds=7_200)
            yield _at(plan, Kind.SYNC, day, _MORNING + 90, shop=shop.key)
            yield _at(plan, Kind.CLOCK_RIGHT, day, _MORNING + 95, shop=shop.key)


_USUAL: Sequence[Change] = (_voids, _payments)
TOWNS: Mapping[str, Town] = {
    "busy": Town(
        "people who change their minds, shops that are paid in between, and many faults", _USUAL
    ),
    "restored": Town(
        "the same, a backend from an older copy, clocks that are fast",
        (*_USUAL, _restored, _fast_clocks),
    ),
    "lost": Town("the same, and lost cards", (*_USUAL, _lost)),
    "desk": Town("an attacker at the desk", _USUAL, (ReopenedAtDesk, ReplayedLoad)),
    "cash": Town("a shop and its customers who collude", _USUAL, (Collusion,)),
    "marks": Town("a card that comes back with its old state", _USUAL, (OldState,)),
    "forks": Town("a cloned card", _USUAL, (Clone,)),
    "people": Town(
        "people at every limit: last day, day limit, reported cards, wrong PINs, no line",
        _USUAL,
        (ShortLived, Reported, LongOffline, LateOnReplaced, Guesser, ToldTwice),
    ),
    "rogues": Town("shops that forge their journals", _USUAL, (ForkedJournal, InventedRecord)),
    "boards": Town(
        "rogue boards between card and reader",
        _USUAL,
        (ForgedGrant, LeftOpen, StaleReadBoard, StatusWords),
    ),
}
