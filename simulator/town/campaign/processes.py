"""Plays on every core: as many towns at a time as there are jobs."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

R = TypeVar("R")


def in_processes(
    play: Callable[..., R], wanted: Iterable[tuple[object, ...]], jobs: int
) -> Iterator[R]:
    """What ``play`` returns for each of ``wanted``, its arguments; as they come.

    One job is done here, in this process, one town after the other.
    """
    if jobs == 1:
        yield from (play(*arguments) for arguments in wanted)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(play, *arguments) for arguments in wanted]):
            yield future.result()
