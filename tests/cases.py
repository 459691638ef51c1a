"""Cases of tests that try everything: all of them, or those that differ in what they show.

``BORSELLINO_ALL_CASES=1`` asks for all (``./run test-full``). Whoever chooses says in the
test's docstring why the others show nothing that these do not.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

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


def as_many(everything: int, enough: int) -> int:
    """How many drawn examples: ``enough``, or ``everything`` if that was asked for."""
    return everything if os.environ.get(ALL) else enough
