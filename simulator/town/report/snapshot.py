"""One moment of a town, for those who look at it from above."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from simulator.town.checks.sql import Sql
from simulator.town.plan.model import Happening, Kind
from simulator.town.report.observer import News, Observer
from simulator.town.state import Town

_THERE_MS = 20 * 60 * 1000
"""So long somebody is thought to be where she was last seen."""
AT_HOME = "home"
_AT_A_SHOP = frozenset({Kind.BUY, Kind.VOID})
_AT_THE_DESK = frozenset({Kind.ISSUE_CARD, Kind.RESET_PIN, Kind.COLLECT, Kind.RENEW_CARD})


class Holding(StrEnum):
    """What somebody has to pay with."""

    CARD = "card"
    NO_CARD = "no_card"
    LOST = "lost"
    NEEDS_PIN = "needs_pin"
    LOAD_WAITS = "load_waits"


@dataclass(frozen=True, slots=True)
class TillView:
    """A till; ``waiting`` entries have yet to reach the backend, ``cases`` are parked."""

    number: int
    open: bool
    waiting: int
    cases: int


@dataclass(frozen=True, slots=True)
class ShopView:
    """A shop, and who is there."""

    key: str
    name: str
    online: bool
    tills: tuple[TillView, ...]
    visitors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonView:
    """Somebody: name, where (a shop's key, the desk, home), and with what."""

    key: str
    name: str
    where: str
    holding: Holding


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that the picture shows. ``money`` is cents by kind of account."""

    seed: int
    now_ms: int
    day: int
    days: int
    done: int
    happenings: int
    sales: int
    shops: tuple[ShopView, ...]
    desk: TillView
    people: tuple[PersonView, ...]
    recovering: bool
    deaths: int
    transfers: int
    orders_at_bank: int
    paid: int
    money: Mapping[str, int]
    faults: Mapping[str, int]
    alarms_explained: int
    alarms_false: int
    alarms_missed: int
    news: tuple[News, ...]

    def at(self, where: str) -> tuple[PersonView, ...]:
        """Who is there."""
        return tuple(person for person in self.people if person.where == where)


def take_snapshot(town: Town, observer: Observer) -> Snapshot:
    """The town as it is between two happenings."""
    people = tuple(_person(town, observer, key) for key in town.citizens)
    counts, plan, now_ms = observer.checks.counts, town.plan, town.time.now_ms
    return Snapshot(
        seed=town.seed, now_ms=now_ms,
        day=min(plan.days, (now_ms - plan.start_ms) // 86_400_000 + 1), days=plan.days,
        done=observer.done, happenings=len(plan.happenings),
        sales=sum(item.cents > 0 for item in town.truth.deliveries),
        shops=tuple(_shop(town, observer, people, key) for key in town.shops),
        desk=_till(town, observer, ("desk", 0)), people=people, recovering=town.recovering,
        deaths=town.hall.deaths, transfers=counts.transfers,
        orders_at_bank=len(town.accountant.orders), paid=town.truth.paid.total(),
        money=balances(town), faults={str(k): n for k, n in town.truth.struck.items()},
        alarms_explained=counts.alarms_explained, alarms_false=counts.alarms_false,
        alarms_missed=counts.alarms_missed, news=tuple(observer.news),
    )  # fmt: skip


def balances(town: Town) -> dict[str, int]:
    """Cents by kind of account."""
    sql = Sql(town.engine)
    try:
        rows = sql.ask("SELECT kind, sum(balance_cents) FROM account GROUP BY kind")
    finally:
        sql.close()
    return {kind: cents for kind, cents in rows if cents}


def _shop(town: Town, observer: Observer, people: tuple[PersonView, ...], key: str) -> ShopView:
    shop = town.shops[key]
    tills = tuple(_till(town, observer, (key, number)) for number in range(shop.tills))
    visitors = tuple(person.name for person in people if person.where == key)
    return ShopView(key, shop.name, town.online(key), tills, visitors)


def _till(town: Town, observer: Observer, place: tuple[str, int]) -> TillView:
    register = town.register(place)
    journal = observer.checks.journals.journals.get(register.terminal)
    cases = sum(map(len, journal.parked.values())) if journal else 0
    waiting = observer.lag.waiting(register.terminal)
    return TillView(place[1], register.till is not None, waiting, cases)


def _person(town: Town, observer: Observer, key: str) -> PersonView:
    citizen = town.citizens[key]
    holder = citizen.person.holder
    where = _where(observer.last_seen.get(key), town.time.now_ms)
    if citizen.lost:
        holding = Holding.LOST
    elif citizen.purse is None:
        holding = Holding.NO_CARD
    elif citizen.needs_pin:
        holding = Holding.NEEDS_PIN
    else:
        holding = Holding.LOAD_WAITS if citizen.waiting else Holding.CARD
    return PersonView(key, f"{holder.name} {holder.surname}".title(), where, holding)


def _where(seen: Happening | None, now_ms: int) -> str:
    if seen is None or now_ms - seen.at_ms > _THERE_MS:
        return AT_HOME
    if seen.kind in _AT_A_SHOP or (seen.kind in _AT_THE_DESK and seen.shop):
        return seen.shop
    return "desk" if seen.kind in _AT_THE_DESK else AT_HOME
