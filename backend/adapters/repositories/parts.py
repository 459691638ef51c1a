"""Large answers and long lists of ids, a part at a time: memory does not grow with the books."""

from collections.abc import Iterable, Iterator
from itertools import islice

PART = 1000
"""Rows that are in memory at once."""
IDS = 500
"""In one statement: SQLite takes 999 parameters in some builds."""


def in_parts(ids: Iterable[int]) -> Iterator[list[int]]:
    """``ids`` without repetition, as lists that fit into one statement."""
    waiting = iter(dict.fromkeys(ids))
    while part := list(islice(waiting, IDS)):
        yield part
