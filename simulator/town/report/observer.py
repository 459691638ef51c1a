"""Looks on while a town plays, and keeps what nobody else does."""

from collections import Counter, deque
from dataclasses import dataclass

from simulator.town.checks.town_checks import TownChecks
from simulator.town.plan.model import Happening, Kind
from simulator.town.report.lag import LagBook
from simulator.town.state import Town

NEWS_MAX = 30


@dataclass(frozen=True, slots=True)
class Struck:
    """``count`` faults of a kind that truly struck."""

    at_ms: int
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class News:
    """A happening, and the faults that struck in it."""

    happening: Happening
    struck: tuple[str, ...]


class Observer:
    """A watcher; comes after the checks, from which it takes how far journals go."""

    def __init__(self, checks: TownChecks) -> None:
        self.checks = checks
        self.lag = LagBook()
        self.done = 0
        """Happenings that were played."""
        self.news: deque[News] = deque(maxlen=NEWS_MAX)
        """The newest happenings, the last one at the end."""
        self.faults: list[Struck] = []
        self.last_seen: dict[str, Happening] = {}
        """By person: the newest happening that she had a part in."""
        self._struck: Counter[str] = Counter()

    def after(self, town: Town, happening: Happening) -> None:
        """Notes one happening, or more of it: watchers look between two loads of one visit."""
        struck = self._note_faults(town)
        if self.news and self.news[-1].happening.id == happening.id:
            struck = (*self.news.pop().struck, *struck)
        else:
            self.done += 1
        if happening.person:
            self.last_seen[happening.person] = happening
        self.news.append(News(happening, struck))
        self._note_entries(town, happening)

    def at_end(self, town: Town) -> None:
        """Nothing more."""

    def _note_faults(self, town: Town) -> tuple[str, ...]:
        struck = town.truth.struck
        if struck.total() == self._struck.total():
            return ()
        new = struck - self._struck
        self._struck = struck.copy()
        now_ms = town.time.now_ms
        self.faults += [Struck(now_ms, str(kind), count) for kind, count in sorted(new.items())]
        return tuple(str(kind) for kind in sorted(new))

    def _note_entries(self, town: Town, happening: Happening) -> None:
        now_ms = town.time.now_ms
        for register in (town.desk, *town.registers.values()):
            journal = self.checks.journals.journals.get(register.terminal)
            if journal is not None:
                self.lag.write(register.terminal, journal.seq, now_ms)
        if happening.kind is Kind.SYNC:
            register = town.register(happening.place)
            self.lag.acknowledge(register.terminal, register.acknowledged(), now_ms)
