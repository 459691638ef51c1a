"""The numbers of a run, for the page, for the terminal and for ``--json``."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from cardlib.calendar import day_at
from cardlib.errors import CodedError
from simulator.town.adversaries.adversary import Adversary
from simulator.town.checks.audit import audited
from simulator.town.reached import TABLES, Reached
from simulator.town.report.attack import Attack, attack_of
from simulator.town.report.lag import Waited, Waits, waits
from simulator.town.report.ledger_sums import in_words, read_books
from simulator.town.report.observer import Observer
from simulator.town.state import Town

LOOKED_AT = ("happenings", "transfers", "entries", "records")
"""What the checks count of their own work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day: sales and what came back, loads, faults that struck, waits that ended."""

    day: str
    sales: int
    cents: int
    voids: int
    void_cents: int
    loaded_cents: int
    faults: int
    waits: Waits


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopFigures:
    """A shop: goods given for vouchers less what came back, and what the bank paid."""

    key: str
    name: str
    tills: int
    sales: int
    cents: int
    paid: int
    offline: tuple[tuple[int, int], ...]
    """When its line was dead, from and to in milliseconds since 1970, within the days played."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Everything. Cents and milliseconds, counts; ``failure`` holds the facts of a breach."""

    seed: int
    days_planned: int
    command: str
    complete: bool
    begun_ms: int
    ended_ms: int
    happenings: int
    happenings_played: int
    people: int
    cards: int
    cards_lost: int
    days: tuple[Day, ...]
    shops: tuple[ShopFigures, ...]
    by_category: Mapping[int, int]
    loads: int
    loaded_cents: int
    sent_away: Mapping[str, int]
    waits: Waits
    still_waiting: int
    never_came: int
    """Entries that went with a till that was stolen or put back."""
    faults: Mapping[str, int]
    attacks: tuple[Attack, ...]
    alarms_explained: Mapping[str, int]
    alarms_false: Mapping[str, int]
    alarms_missed: Mapping[str, int]
    reached: Mapping[str, Mapping[str, int]]
    looked_at: Mapping[str, int]
    accounts: Mapping[str, int]
    funded: int
    paid: int
    cents_astray: int
    verifier: Mapping[str, Any]
    failure: Mapping[str, Any] | None

    @property
    def sales(self) -> int:
        """Sales whose goods changed hands."""
        return sum(day.sales for day in self.days)

    @property
    def sales_cents(self) -> int:
        """What they came to, voids apart."""
        return sum(day.cents for day in self.days)

    @property
    def voids(self) -> int:
        """Sales that were taken back."""
        return sum(day.voids for day in self.days)

    @property
    def void_cents(self) -> int:
        """What they came to."""
        return sum(day.void_cents for day in self.days)

    @property
    def holds(self) -> bool:
        """Whether no law was broken, no alarm false or missed, no attack better than stated."""
        return (
            self.failure is None
            and not self.alarms_false
            and not self.alarms_missed
            and not self.cents_astray
            and all(attack.caught for attack in self.attacks)
        )

    def unreached(self, table: str) -> list[str]:
        """Ways of a table that nobody went."""
        return [way for way in TABLES[table] if not self.reached.get(table, {}).get(way)]

    def as_json(self) -> dict[str, Any]:
        """One object; sums beside the parts."""
        sums = {
            "holds": self.holds, "sales": self.sales, "goods_cents": self.sales_cents,
            "voids": self.voids, "void_cents": self.void_cents,
            "frauds_caught": sum(attack.caught for attack in self.attacks),
            "frauds_missed": sum(not attack.caught for attack in self.attacks),
            "unreached": {table: ways for table in TABLES if (ways := self.unreached(table))},
        }  # fmt: skip
        return sums | asdict(self)


def gather(
    town: Town, observer: Observer, reached: Reached, adversaries: Sequence[Adversary],
    failure: BaseException | None, *, command: str, lang: str,
) -> Figures:  # fmt: skip
    """The figures of what was played so far."""
    plan, truth, checks, books = town.plan, town.truth, observer.checks, read_books(town)
    lag, now_ms = observer.lag, town.time.now_ms
    gone = [till.terminal for till in town.tills if till.gone]
    alive = [till.terminal for till in (town.desk, *town.registers.values())]
    citizens = town.citizens.values()
    counts = asdict(checks.counts)
    return Figures(
        seed=plan.seed, days_planned=plan.days, command=command,
        complete=observer.done == len(plan.happenings), begun_ms=plan.start_ms, ended_ms=now_ms,
        happenings=len(plan.happenings), happenings_played=observer.done,
        people=len(plan.people), cards=sum(one.purse is not None for one in citizens),
        cards_lost=sum(one.lost for one in citizens),
        days=tuple(_days(town, observer, books.loaded_by_day)),
        shops=tuple(_shops(town)), by_category=books.by_category,
        loads=sum(count for state, count in books.orders.items() if "on_card" in state),
        loaded_cents=sum(books.loaded_by_day.values()),
        sent_away=_sorted(truth.refused), waits=waits(lag.waited),
        still_waiting=sum(map(lag.waiting, alive)), never_came=sum(map(lag.waiting, gone)),
        faults=_sorted(truth.struck),
        attacks=tuple(attack_of(adversary, town) for adversary in adversaries),
        alarms_explained=_sorted(checks.alarms.explained),
        alarms_false=_sorted(checks.alarms.false), alarms_missed=_sorted(checks.alarms.missed),
        reached=reached.as_json(),
        looked_at={name: counts[name] for name in LOOKED_AT},
        accounts=books.accounts, funded=books.funded, paid=truth.paid.total(),
        cents_astray=_astray(books.astray, failure), failure=_facts(failure),
        verifier=in_words(checks.verdict or audited(town), lang),
    )  # fmt: skip


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return {str(name): counts[name] for name in sorted(counts, key=lambda one: (-counts[one], one))}


def _facts(failure: BaseException | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    if isinstance(failure, CodedError):
        return {"code": failure.code, **failure.facts}
    return {"code": type(failure).__name__, "what": str(failure)}


def _astray(in_the_ledger: int, failure: BaseException | None) -> int:
    cents = (_facts(failure) or {}).get("cents", 0)
    return abs(int(cents)) or abs(in_the_ledger)


def _days(town: Town, observer: Observer, loaded: Mapping[date, int]) -> Iterator[Day]:
    given, back = _by_day(town, 1), _by_day(town, -1)
    faults: Counter[date] = Counter()
    for struck in observer.faults:
        faults[day_at(struck.at_ms // 1000)] += struck.count
    waited: defaultdict[date, list[Waited]] = defaultdict(list)
    for one in observer.lag.waited:
        waited[day_at(one.at_ms // 1000)].append(one)
    day, last = day_at(town.plan.start_ms // 1000), day_at(town.time.now_s)
    while day <= last:
        yield Day(
            day=day.isoformat(), sales=len(given[day]), cents=sum(given[day]),
            voids=len(back[day]), void_cents=-sum(back[day]),
            loaded_cents=loaded.get(day, 0), faults=faults[day], waits=waits(waited[day]),
        )  # fmt: skip
        day += timedelta(days=1)


def _by_day(town: Town, sign: int) -> defaultdict[date, list[int]]:
    found: defaultdict[date, list[int]] = defaultdict(list)
    for item in town.truth.deliveries:
        if item.cents * sign > 0:
            found[day_at(item.at_ms // 1000)].append(item.cents)
    return found


def _shops(town: Town) -> Iterator[ShopFigures]:
    goods, now_ms = town.truth.delivered(), town.time.now_ms
    sales = Counter(item.shop for item in town.truth.deliveries if item.cents > 0)
    for shop in town.plan.shops:
        offline = tuple((begin, min(end, now_ms)) for begin, end in shop.down if begin < now_ms)
        yield ShopFigures(
            key=shop.key, name=shop.name, tills=shop.tills, sales=sales[shop.key],
            cents=goods[shop.key], paid=town.truth.paid[shop.iban], offline=offline,
        )  # fmt: skip
