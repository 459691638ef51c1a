"""Real processes that begin at the same moment, each with connections of its own."""

import multiprocessing
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from typing import Any, TypeVar

from sqlalchemy import Engine

LIMIT_S = 120.0
Result = TypeVar("Result")
_FORK = multiprocessing.get_context("fork")
"""What is forked knows already how statements are compiled."""


@dataclass(frozen=True)
class Failed:
    """What a process died of."""

    trace: str


def at_once(engine: Engine, works: Sequence[Callable[[], Result]]) -> list[Result]:
    """Runs every work in a process of its own, all at once; their results, in order.

    AssertionError with the trace of the first that failed, or when one does not end.
    """
    engine.dispose()
    gate = _FORK.Barrier(len(works))
    pipes = [_FORK.Pipe(duplex=False) for _ in works]
    children = [
        _FORK.Process(target=_work, args=(work, engine, gate, sender))
        for work, (_, sender) in zip(works, pipes, strict=True)
    ]
    try:
        with _running(children):
            results: list[Result] = [_received(receiver) for receiver, _ in pipes]
            return results
    finally:
        for receiver, sender in pipes:
            receiver.close()
            sender.close()


@contextmanager
def beside(engine: Engine, works: Sequence[Callable[[], object]]) -> Generator[None]:
    """Runs works in processes of their own until the block ends; then they are killed."""
    engine.dispose()
    with _running([_FORK.Process(target=_serve, args=(work, engine)) for work in works]):
        yield


@contextmanager
def _running(children: Sequence[BaseProcess]) -> Generator[None]:
    for child in children:
        child.start()
    try:
        yield
    finally:
        for child in children:
            child.kill()
            child.join()
            child.close()


def _work(work: Callable[[], object], engine: Engine, gate: Barrier, sender: Connection) -> None:
    try:
        engine.dispose(close=False)  # the parent's connections are the parent's
        gate.wait(LIMIT_S)
        sender.send(work())
    except BaseException:  # noqa: BLE001 - told in the parent
        sender.send(Failed(traceback.format_exc()))


def _serve(work: Callable[[], object], engine: Engine) -> None:
    engine.dispose(close=False)
    work()


def _received(receiver: Connection) -> Any:
    assert receiver.poll(LIMIT_S), "a process did not end"
    result = receiver.recv()
    assert not isinstance(result, Failed), result.trace
    return result
