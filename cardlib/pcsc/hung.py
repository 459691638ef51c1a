"""Calls that never came back: which readers they hang in, so that nobody waits there again."""

import threading

from cardlib.errors import PresenceError, ServiceMissingError
from cardlib.pcsc.worker import Worker

_hung: dict[str, tuple[Worker, str]] = {}
_lock = threading.Lock()


def note(reader: str, worker: Worker, code: str) -> None:
    """``worker`` was given up in a call to ``reader``, the service itself when empty."""
    with _lock:
        _hung[reader] = (worker, code)


def check(reader: str) -> None:
    """Refuses a reader in which a call still hangs: PresenceError with the code noted."""
    with _lock:
        found = _hung.get(reader)
        if found is None:
            return
        worker, code = found
        if not worker.alive:
            del _hung[reader]
            return
    raise PresenceError(code) if reader else ServiceMissingError(code)
