"""Watches readers and cards, and never stops doing so: its own thread, its own context.

It waits in SCardGetStatusChange, a second at most, and looks at the list of readers
before each wait. Whatever goes wrong (daemon killed, last reader gone, a state nobody
has heard of) becomes :class:`ServiceLost`, and it begins anew with a new context. It
prints nothing and uses no wall time. Why not pyscard's own monitor: ``docs/adr``.
"""

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from cardlib.errors import CardlibError, ReaderMissingError
from cardlib.monitor.events import Event
from cardlib.monitor.snapshot import Snapshot, happened
from cardlib.pcsc.machine import real_service
from cardlib.pcsc.service import PNP_READER, Context, Establish, ReaderState

Listener = Callable[[Event], None]

WAIT_MS = 1000
"""Of one wait; a new reader that nobody announced is seen after that time."""
RETRY_S = 0.5
"""Between two attempts to reach the service."""
STOP_S = 3.0
ASKED_MAX = 16
"""Readers that pcsc-lite takes in one question, the announcer of new ones included."""

_log = logging.getLogger(__name__)


class Monitor:
    """Tells listeners what happens, in order, from :meth:`start` to :meth:`stop`."""

    def __init__(self, establish: Establish = real_service) -> None:
        self._establish = establish
        self._seen = Snapshot()
        self._listeners: list[Listener] = []
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._looked = threading.Event()
        self._context: Context | None = None
        self._thread = threading.Thread(target=self._run, name="reader-monitor", daemon=True)

    def start(self) -> None:
        """Begins to watch. Once only."""
        self._thread.start()

    def stop(self) -> None:
        """Ends promptly: the wait is cancelled. Listeners hear no more afterwards."""
        self._stopping.set()
        with self._lock:
            self._listeners.clear()
        for _ in range(int(STOP_S / 0.05)):
            self._cancel()
            self._thread.join(0.05)
            if not self._thread.is_alive():
                return

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tells ``listener`` the present state as events, then what happens from now on.

        It is called in the monitor's thread, the first time in the caller's; it should be
        quick, and what it raises is lost. Returns what ends the subscription.
        """
        with self._lock:
            for event in happened(Snapshot(), self._seen):
                _tell(listener, event)
            self._listeners.append(listener)
        return lambda: self._unsubscribe(listener)

    def await_first_look(self, limit_s: float) -> bool:
        """Waits until it is known what is there, or that the service is not."""
        return self._looked.wait(limit_s)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._watch()
            except ImportError:
                self._publish(Snapshot(lost="PCSC_LIBRARY_MISSING"))
            except CardlibError as error:
                self._publish(Snapshot(lost=error.code))
            except Exception:  # noqa: BLE001 - whatever it is, cards go on coming and going
                _log.debug("the reader service failed", exc_info=True)
                self._publish(Snapshot(lost="PCSC_MISSING"))
            self._stopping.wait(RETRY_S)

    def _watch(self) -> None:
        """Until stopped, or until something goes wrong."""
        context = self._context = self._establish()
        try:
            known: dict[str, ReaderState] = {}
            while not self._stopping.is_set():
                try:
                    known = self._look(context, known)
                except ReaderMissingError:  # gone between the list and the wait
                    self._stopping.wait(0.05)
        finally:
            self._context = None
            context.release()

    def _look(self, context: Context, known: dict[str, ReaderState]) -> dict[str, ReaderState]:
        names = context.readers()
        readers = [known.get(name, ReaderState(name)) for name in names]
        if names and not known.keys() >= set(names):  # new ones: what they hold, at once
            readers = context.states(readers, 0) or readers
        self._publish(Snapshot.of(readers))
        if set(names) != known.keys():
            return {state.reader: state for state in readers}
        asked = [*readers, ReaderState(PNP_READER)][:ASKED_MAX]
        found = context.states(asked, WAIT_MS) or readers
        return {state.reader: state for state in found if state.reader != PNP_READER}

    def _publish(self, seen: Snapshot) -> None:
        with self._lock:
            before, self._seen = self._seen, seen
            for event in happened(before, seen):
                for listener in tuple(self._listeners):
                    _tell(listener, event)
        self._looked.set()

    def _cancel(self) -> None:
        context = self._context
        if context is not None:
            try:
                context.cancel()
            except CardlibError:
                _log.debug("nothing to cancel")

    def _unsubscribe(self, listener: Listener) -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)


def _tell(listener: Listener, event: Event) -> None:
    try:
        listener(event)
    except Exception:  # noqa: BLE001 - one listener's mistake must not blind the others
        _log.debug("a listener failed", exc_info=True)
