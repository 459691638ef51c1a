"""Cases of tests that try everything: all of them, or those that differ in what they show.

``BORSELLINO_ALL_CASES=1`` asks for all (``./run test-full``). Whoever chooses says in the
test's docstring why the others show nothing that these do not. Where a test goes through every
command, byte or step of the same thing, its module says ``SOME_CASES = n`` instead: so many of
each test, evenly chosen.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import pytest

ALL = "BORSELLINO_ALL_CASES"
T = TypeVar("T")


def chosen(everything: Iterable[T], enough: Sequence[T]) -> Sequence[T]:
    """``enough``, or everything if that was asked for.

    AssertionError for a case among ``enough`` that is none.
    """
    all_of_them = list(everything)
    assert not [case for case in enough if case not in all_of_them]
    return all_of_them if os.environ.get(ALL) else enough


def one_each(everything: Iterable[T], kind: Callable[[T], object]) -> list[T]:
    """The first case of each kind."""
    first: dict[object, T] = {}
    for case in everything:
        first.setdefault(kind(case), case)
    return list(first.values())


def evenly(cases: Sequence[T], count: int) -> list[T]:
    """At most ``count`` of them, from the first on, with the same distance between them."""
    size = len(cases)
    return [
        case
        for number, case in enumerate(cases)
        if number * count // size != (number - 1) * count // size
    ]


def beyond_some(items: Sequence[pytest.Item], environment: Mapping[str, str]) -> set[pytest.Item]:
    """Cases that a module with ``SOME_CASES`` leaves to ``./run test-full``, on each database."""
    if environment.get(ALL):
        return set()
    tests: dict[tuple[str, bool], list[pytest.Function]] = {}
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item.module, "SOME_CASES"):
            on_postgres = item.get_closest_marker("postgres") is not None
            tests.setdefault((item.nodeid.partition("[")[0], on_postgres), []).append(item)
    return {
        item
        for cases in tests.values()
        for item in set(cases).difference(evenly(cases, cases[0].module.SOME_CASES))
    }


def as_many(everything: int, enough: int) -> int:
    """How many drawn examples: ``enough``, or ``everything`` if that was asked for."""
    return everything if os.environ.get(ALL) else enough
