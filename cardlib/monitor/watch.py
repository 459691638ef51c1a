"""What one till needs of the monitor: the readers it means, asked by a thread of its own."""

import queue
from collections.abc import Callable

from cardlib.errors import PresenceError, ReaderMissingError, ServiceMissingError
from cardlib.monitor.events import (
    CardIn,
    CardOut,
    Event,
    ReaderAdded,
    ReaderGone,
    ServiceBack,
    ServiceLost,
)
from cardlib.monitor.monitor import Monitor
from cardlib.pcsc.names import meant


class CardWatch:
    """Readers that ``pattern`` means and ``besides`` does not (``cardlib.pcsc.names``).

    Events are gathered as they come, and understood when :meth:`news` is called; ``wake``
    is told, in the monitor's thread, that there is something to ask for.
    """

    def __init__(
        self,
        monitor: Monitor,
        pattern: str = "",
        besides: str = "",
        wake: Callable[[], None] | None = None,
    ) -> None:
        self._pattern = pattern
        self._besides = besides
        self.wake = wake
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._lost = ""
        self._readers: dict[str, bool] = {}
        self._unsubscribe = monitor.subscribe(self._hear)

    def news(self) -> frozenset[str]:
        """Takes in what has happened; the readers whose card went out since the last call."""
        left = set()
        while not self._events.empty():
            match self._events.get():
                case ServiceLost(code):
                    self._lost = code
                case ServiceBack():
                    self._lost = ""
                case ReaderAdded(reader):
                    self._readers[reader] = False
                case ReaderGone(reader):
                    self._readers.pop(reader, None)
                case CardIn(reader):
                    self._readers[reader] = True
                case CardOut(reader):
                    self._readers[reader] = False
                    left.add(reader)
        return frozenset(left)

    @property
    def with_card(self) -> tuple[str, ...]:
        """The readers meant that hold a card."""
        return tuple(name for name in self._meant() if self._readers[name])

    @property
    def trouble(self) -> PresenceError | None:
        """Why no card could be seen at all: no service, or no reader of the kind."""
        if self._lost:
            return ServiceMissingError(self._lost)
        if not self._meant():
            return ReaderMissingError(reader=self._pattern)
        return None

    def close(self) -> None:
        """Hears no more."""
        self._unsubscribe()

    def _meant(self) -> list[str]:
        return meant(self._readers, self._pattern, self._besides)

    def _hear(self, event: Event) -> None:
        self._events.put(event)
        if self.wake is not None:
            self.wake()
