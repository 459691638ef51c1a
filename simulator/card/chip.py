"""What a command may use: the memory, the session, randomness, and the power it may lose."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from cardlib.codec.files import Structure
from simulator.card.filesystem import ElementaryFile, Memory
from simulator.card.refusal import PowerLost
from simulator.card.session import Session
from simulator.card.traits import Traits


class Randomness(Protocol):
    """Where challenges come from; same shape as ``cardlib.ports.Randomness``."""

    def bytes(self, count: int) -> bytes:
        """``count`` fresh bytes."""
        ...


class Tear(Enum):
    """What a write that loses power leaves behind (PROTOCOL 2, *Tearing may leave*).

    Only records can be damaged; other writes are all or nothing.
    """

    NOTHING = "nothing"
    """The old content, untouched."""
    DAMAGED_NEW = "damaged-new"
    """A cyclic file has turned and its new #1 is half written; a linear record is half written."""
    DAMAGED_OLDEST = "damaged-oldest"
    """A cyclic file has not turned and its oldest record is half written; otherwise nothing."""


@dataclass(slots=True)
class Chip:
    """The card as its commands see it; ``commit`` saves the memory before an answer leaves."""

    memory: Memory
    session: Session
    randomness: Randomness
    commit: Callable[[], None]
    traits: Traits
    """Those of the card's mask."""
    tear: Tear | None = None
    """How the next write fails, if it does."""

    def write(self, change: Callable[[], None]) -> None:
        """Makes a change that a tear leaves undone."""
        if self.tear is not None:
            raise PowerLost
        change()
        self.commit()

    def write_record(self, file: ElementaryFile, index: int, record: bytes) -> None:
        """Writes record ``index`` (from 0); a cyclic file turns: it is the first, the last goes."""
        cyclic = file.spec.structure is Structure.CYCLIC_FIXED
        if self.tear is not None:
            _tear(file, index, record, self.tear, cyclic=cyclic)
            self.commit()
            raise PowerLost
        _put(file, index, record, cyclic=cyclic)
        self.commit()


def _put(file: ElementaryFile, index: int, record: bytes, *, cyclic: bool) -> None:
    if cyclic:
        file.records = [record, *file.records[:-1]]
    else:
        file.records[index] = record


def _tear(file: ElementaryFile, index: int, record: bytes, tear: Tear, *, cyclic: bool) -> None:
    half = len(record) // 2
    damaged = record[:half] + b"\xff" * (len(record) - half)
    if tear is Tear.DAMAGED_NEW:
        _put(file, index, damaged, cyclic=cyclic)
    elif tear is Tear.DAMAGED_OLDEST and cyclic:
        file.records[-1] = damaged
