"""What is seen at one moment, and what must have happened between two of them.

pcsc-lite counts in the upper 16 bits of a reader's state how often a card came or went:
two snapshots that both show a card, with another count, are two cards, or one that was
taken out and put back; either way what was agreed with it is over. Systems that do not
count leave the bits 0; then another ATR tells. Source: pcsc-lite, SCardGetStatusChange.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from cardlib.monitor.events import (
    CardIn,
    CardOut,
    Event,
    ReaderAdded,
    ReaderGone,
    ServiceBack,
    ServiceLost,
)
from cardlib.pcsc.service import ReaderState, StateFlag


@dataclass(frozen=True, slots=True)
class Seen:
    """One reader: its card's ATR, None without a card; how often cards came and went."""

    atr: bytes | None = None
    count: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All readers at one moment; or, with ``lost``, the code of what hides them."""

    readers: Mapping[str, Seen] = field(default_factory=lambda: MappingProxyType({}))
    lost: str = ""

    @classmethod
    def of(cls, states: Iterable[ReaderState]) -> Self:
        """From what the service says; a reader that it does not know is not there."""
        return cls(
            {
                state.reader: Seen(state.atr if state.has_card else None, state.state >> 16)
                for state in states
                if not state.state & StateFlag.UNKNOWN
            }
        )


def happened(before: Snapshot, after: Snapshot) -> Iterator[Event]:
    """In an order that makes sense: cards leave before readers, readers before the service."""
    for reader in sorted(before.readers):
        yield from _went(reader, before.readers[reader], after.readers.get(reader))
    if after.lost and after.lost != before.lost:
        yield ServiceLost(after.lost)
    if before.lost and not after.lost:
        yield ServiceBack()
    for reader in sorted(after.readers):
        yield from _came(reader, before.readers.get(reader), after.readers[reader])


def _went(reader: str, before: Seen, after: Seen | None) -> Iterator[Event]:
    if before.atr is not None and before != after:
        yield CardOut(reader)
    if after is None:
        yield ReaderGone(reader)


def _came(reader: str, before: Seen | None, after: Seen) -> Iterator[Event]:
    if before is None:
        yield ReaderAdded(reader)
    if after.atr is not None and after != before:
        yield CardIn(reader, after.atr)
