"""Shows a town while it plays: a picture in place on a terminal, a line a day elsewhere."""

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live

from cardlib.calendar import day_at
from cardlib.ports import Clock
from simulator.town.report.observer import Observer
from simulator.town.report.picture import TownPicture
from simulator.town.report.snapshot import take_snapshot
from simulator.town.report.words import Words
from simulator.town.state import Town

REFRESH_MS = 200
HEIGHT_MIN = 24
WIDTH_MIN = 80


class Show(Protocol):
    """Told after every happening; a context manager."""

    def look(self, town: Town) -> None:
        """The town has moved on."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...  # fmt: skip


def show_for(
    console: Console, observer: Observer, words: Words, clock: Clock, *, plain: bool, silent: bool
) -> Show:
    """The picture where there is a terminal of 80x24 and nobody asked for plain lines."""
    if silent:
        return Silence()
    small = console.width < WIDTH_MIN or console.height < HEIGHT_MIN
    if plain or small or not console.is_terminal:
        return DayLines(console, observer, words)
    return LivePicture(console, observer, words, clock)


class Silence:
    """Shows nothing."""

    def look(self, town: Town) -> None:
        """Nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Nothing."""


class DayLines(Silence):
    """One line for each day of the town, when it is over."""

    def __init__(self, console: Console, observer: Observer, words: Words) -> None:
        self._console = console
        self._observer = observer
        self._words = words
        self._next = 0
        self._sales = self._faults = 0

    def look(self, town: Town) -> None:
        """Tells the day that has just ended."""
        day_ms, start_ms = 86_400_000, town.plan.start_ms
        over = (town.time.now_ms - start_ms) // day_ms
        if over > self._next or self._observer.done == len(town.plan.happenings):
            self._tell(town, start_ms + self._next * day_ms)
            self._next = over

    def _tell(self, town: Town, begin_ms: int) -> None:
        shot, words = take_snapshot(town, self._observer), self._words
        faults = sum(shot.faults.values())
        waiting = sum(till.waiting for shop in shot.shops for till in shop.tills)
        self._console.print(
            words.label(
                "day_line", day=words.day(day_at(begin_ms // 1000)),
                sales=shot.sales - self._sales, faults=faults - self._faults, waiting=waiting,
                offline=sum(not shop.online for shop in shot.shops),
                paid=words.money(shot.paid),
            ), markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
        self._sales, self._faults = shot.sales, faults


class LivePicture:
    """The picture, drawn anew every fifth of a second of real time."""

    def __init__(self, console: Console, observer: Observer, words: Words, clock: Clock) -> None:
        self._observer = observer
        self._words = words
        self._clock = clock
        self._live = Live(console=console, screen=True, auto_refresh=False)
        self._begun_ms = self._drawn_ms = clock.monotonic_ms()

    def look(self, town: Town) -> None:
        """Draws, unless it has just done so."""
        now_ms = self._clock.monotonic_ms()
        if now_ms - self._drawn_ms < REFRESH_MS:
            return
        self._drawn_ms = now_ms
        passed = town.time.now_ms - town.plan.start_ms
        speed = passed // max(1, now_ms - self._begun_ms)
        shot = take_snapshot(town, self._observer)
        self._live.update(TownPicture(shot, self._words, speed), refresh=True)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._live.__exit__(kind, error, trace)
