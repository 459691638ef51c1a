"""The port that services take their transactions from.

``with work.begin() as unit: …; unit.commit()``: what is not committed is rolled back.
"""

from contextlib import AbstractContextManager
from typing import Protocol

from backend.adapters.unit_of_work import Unit


class Work(Protocol):
    """Begins units of work."""

    def begin(self) -> AbstractContextManager[Unit]:
        """A transaction that sees and locks the whole database."""
        ...
