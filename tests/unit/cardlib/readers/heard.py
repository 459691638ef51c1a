"""A listener to a monitor, that can be asked what comes next."""

import queue

from cardlib.monitor import Event

PATIENCE_S = 30


class Heard:
    """Events in the order they were told."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def hear(self, event: Event) -> None:
        """What the monitor calls."""
        self._events.put(event)

    def next(self, count: int = 1) -> list[Event]:
        """The next events, as soon as they are there."""
        return [self._events.get(timeout=PATIENCE_S) for _ in range(count)]

    def until(self, last: Event) -> list[Event]:
        """All events up to ``last``."""
        heard = self.next()
        while heard[-1] != last:
            heard += self.next()
        return heard

    @property
    def silent(self) -> bool:
        """Whether nothing is left to hear."""
        return self._events.empty()
