"""Plays on every core: each town in a process of its own."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

R = TypeVar("R")


def in_processes(
    play: Callable[..., R], wanted: Iterable[tuple[object, ...]], jobs: int
) -> Iterator[R]:
    """What ``play`` returns for each of ``wanted``, its arguments; as they come."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(play, *arguments) for arguments in wanted]):
            yield future.result()
