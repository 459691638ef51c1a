"""Timing of one thing against another, alternating, so that both meet the same noise."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report: what, measured, its target, and whether it holds."""

    what: str
    measured: str
    target: str
    holds: bool


def cpu_ms(work: Callable[[], None], repeats: int) -> float:
    """Median CPU milliseconds of ``work``; waiting for a disk or a card is not counted."""
    spent = []
    for _ in range(repeats):
        start = time.process_time_ns()
        work()
        spent.append((time.process_time_ns() - start) / 1e6)
    return statistics.median(spent)


def rate(work: Callable[[], None], count: int) -> float:
    """Calls of ``work`` a second, by the wall clock."""
    start = time.perf_counter()
    for _ in range(count):
        work()
    return count / (time.perf_counter() - start)


def usual_rate(work: Callable[[], None], count: int) -> float:
    """Calls a second at the median duration: one that other programs delay does not count."""
    taken = []
    for _ in range(count):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return 1 / statistics.median(taken)


def paired(
    ours: Callable[[], float], theirs: Callable[[], float], rounds: int = 5
) -> tuple[float, float, float]:
    """Median of both rates and of their ratio, measured in alternation."""
    rates = [(ours(), theirs()) for _ in range(rounds)]
    ratio = statistics.median(one / other for one, other in rates)
    return statistics.median(r[0] for r in rates), statistics.median(r[1] for r in rates), ratio
