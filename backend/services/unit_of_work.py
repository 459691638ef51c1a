"""The port that services take their transactions from.

``with work.begin() as unit: …; unit.commit()``: what is not committed is rolled back.
``with work.read() as unit: …`` where nothing is written. DatabaseError from both.
"""

from contextlib import AbstractContextManager
from typing import Protocol

from backend.adapters.unit_of_work import Unit


class Work(Protocol):
    """Begins units of work."""

    def begin(self) -> AbstractContextManager[Unit]:
        """The one transaction that writes, until it ends: all others that write wait for it."""
        ...

    def read(self) -> AbstractContextManager[Unit]:
        """A transaction that sees one state of the whole database and changes nothing."""
        ...
