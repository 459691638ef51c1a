"""How long journal entries waited before the backend had them, in town time."""

from collections import deque
from dataclasses import dataclass, field
from itertools import chain, repeat
from statistics import median


@dataclass(frozen=True, slots=True)
class Waited:
    """``count`` entries that were written together came to the backend at ``at_ms``."""

    at_ms: int
    waited_ms: int
    count: int


@dataclass(frozen=True, slots=True)
class Waits:
    """Of ``entries`` entries together; seconds."""

    entries: int
    median_s: int
    longest_s: int


@dataclass(slots=True)
class LagBook:
    """Notes by terminal what is durable, and what the till knows to be at the backend."""

    waited: list[Waited] = field(default_factory=list)
    _written: dict[int, int] = field(default_factory=dict)
    _open: dict[int, deque[tuple[int, int]]] = field(default_factory=dict)
    """Last number and moment of entries that were written together and still wait."""
    _done: dict[int, int] = field(default_factory=dict)

    def write(self, terminal: int, seq: int, at_ms: int) -> None:
        """The journal now ends with ``seq``."""
        if seq > self._written.get(terminal, 0):
            self._open.setdefault(terminal, deque()).append((seq, at_ms))
            self._written[terminal] = seq

    def acknowledge(self, terminal: int, seq: int, at_ms: int) -> None:
        """The backend has everything up to ``seq``."""
        groups, before = self._open.get(terminal, deque()), self._acknowledged(terminal)
        while groups and before < seq:
            last, written_ms = groups.popleft()
            end = min(last, seq)
            self.waited.append(Waited(at_ms, at_ms - written_ms, end - before))
            if end < last:
                groups.appendleft((last, written_ms))
            self._done[terminal] = before = end

    def waiting(self, terminal: int) -> int:
        """Entries of a till that the backend has not."""
        return self._written.get(terminal, 0) - self._acknowledged(terminal)

    def _acknowledged(self, terminal: int) -> int:
        return self._done.get(terminal, 0)


def waits(those: list[Waited]) -> Waits:
    """Median and longest, each entry counted once."""
    each = sorted(chain.from_iterable(repeat(one.waited_ms, one.count) for one in those))
    if not each:
        return Waits(0, 0, 0)
    return Waits(len(each), round(median(each) / 1000), round(each[-1] / 1000))
