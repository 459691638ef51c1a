"""Calls that hang, waited for."""

import threading

from cardlib.errors import PresenceError
from cardlib.pcsc import hung


def until_nothing_hangs(name: str) -> None:
    """Returns when no call hangs in reader ``name`` any more; empty: in the service."""
    pause = threading.Event()
    for _ in range(500):
        try:
            hung.check(name)
        except PresenceError:
            pause.wait(0.01)
        else:
            return
    raise AssertionError(f"a call still hangs in {name}")
