"""Law 3 at the counter: days, day limits, categories, reported cards, PIN tries, offline guard.

What a till agrees to sell is held against what the town knows by itself: the grants that lay on
the chip, what the chip's own records took that day, when the desk was told that a card is lost,
what the cashier was told of PINs, and when a till last heard of the backend. The till's own wall
clock counts, wrong or not: nobody else's time is at the counter.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from cardlib.calendar import ZONE
from cardlib.codec.purse import Grant, SpendType
from cardlib.wire.ids import PurseId
from simulator.errors import TownError
from simulator.town.checks.cards import PurseTruth
from simulator.town.checks.declared import Declared
from simulator.town.checks.entries import SeenEntry
from simulator.town.checks.evidence import TillSeen, breach

OFFLINE_DAYS = 10
"""A till with a software module that has heard nothing for so many days stops."""
PIN_TRIES = 3
_DAY_MS = 86_400_000
_FIRST_DAY = date(2020, 1, 1).toordinal()
_MORE = 0xFFFF
"""What ``day_spent`` says where it does not fit."""


def day_of(unix_s: int) -> int:
    """The day number of PROTOCOL 2, in Europe/Rome."""
    return datetime.fromtimestamp(unix_s, ZONE).toordinal() - _FIRST_DAY


@dataclass(slots=True)
class _Day:
    """What the chip's records up to ``ctr`` took on the day of the newest one."""

    ctr: int = 0
    day: int = 0
    cents: int = 0


@dataclass(slots=True)
class LimitWatch:
    """Every sale and void that a till has agreed to."""

    declared: Declared
    _days: dict[PurseId, _Day] = field(default_factory=dict)

    def check(self, till: TillSeen, entry: SeenEntry, truth: PurseTruth, place: str) -> None:
        """One intent of an honest till, on an honest card; TownError ``TOWN_LIMIT_PASSED``."""
        self._check_till(till, entry, place)
        self._check_reported(till, truth.purse, place)
        ctr, _, time, day_spent, _, kind = entry.fields[35]
        if kind == SpendType.SALE:
            _check_wallets(entry, truth, place)
            self._check_day(entry, truth, (ctr, time, day_spent), place)

    def _check_till(self, till: TillSeen, entry: SeenEntry, place: str) -> None:
        days = (entry.wall_ms - till.heard_ms) // _DAY_MS
        if days >= OFFLINE_DAYS:
            raise _passed(place, f"the till has heard of nobody for {days} days")

    def _check_reported(self, till: TillSeen, purse: PurseId, place: str) -> None:
        since = self.declared.reported.get(purse)
        if since is not None and till.told_ms >= since:
            raise _passed(place, f"purse {purse} was reported, and the till has heard of it")
        wrong = self.declared.pins_wrong.get(purse, 0)
        if wrong >= PIN_TRIES:
            raise _passed(place, f"the PIN of {purse} was wrong {wrong} times before")

    def _check_day(
        self, entry: SeenEntry, truth: PurseTruth, planned: tuple[int, int, int], place: str
    ) -> None:
        ctr, time, day_spent = planned
        before, today = self._day_before(truth, ctr), day_of(time)
        cents = sum(line[3] for line in entry.fields[36])
        spent = cents + (before.cents if before.day >= today else 0)
        limits = [_grant(truth, line).day_limit_eur * 100 for line in entry.fields[36]]
        limit = min((one for one in limits if one), default=0)
        if limit and spent > limit:
            raise _passed(place, f"{spent} on a day, of {limit}", spent - limit)
        if day_spent != min(spent, _MORE):
            raise _passed(place, f"it says {day_spent} of a day's {spent}", day_spent - spent)

    def _day_before(self, truth: PurseTruth, ctr: int) -> _Day:
        """The day's sum in the chip's records below ``ctr``; each record is added once."""
        known = self._days.get(truth.purse)
        if known is None or known.ctr >= ctr:
            known = self._days[truth.purse] = _Day()
        for number in range(known.ctr + 1, ctr):
            self._add(known, truth, number)
        return known

    def _add(self, known: _Day, truth: PurseTruth, ctr: int) -> None:
        """One record more; of a rogue till's there is nothing but what it says."""
        written = truth.chain.get(ctr)
        known.ctr = ctr
        if written is None or written.spend.type == SpendType.INIT:
            return
        day = day_of(written.spend.time)
        spent = (known.cents if known.day >= day else 0) + written.cents
        if written.spend.terminal in self.declared.rogue_terminals:
            spent = written.spend.day_spent
        known.day, known.cents = day, max(0, spent)


def _check_wallets(entry: SeenEntry, truth: PurseTruth, place: str) -> None:
    """Each wallet is of that day and buys that category."""
    today, latest = day_of(entry.wall_ms // 1000), day_of(entry.fields[35][2])
    for line in entry.fields[36]:
        grant = _grant(truth, line)
        if today > grant.valid_to or latest < grant.valid_from:
            what = f"grant {grant.grant_seq} holds on days {grant.valid_from} to {grant.valid_to}"
            raise _passed(place, f"{what}, not on {today}", line[3])
        if not grant.categories >> line[2] & 1:
            raise _passed(place, f"grant {grant.grant_seq} buys no category {line[2]}", line[3])


def _grant(truth: PurseTruth, line: list[int]) -> Grant:
    return truth.ever[line[1]].grant


def _passed(place: str, what: str, cents: int = 0) -> TownError:
    return breach("TOWN_LIMIT_PASSED", 3, place, what, cents)
