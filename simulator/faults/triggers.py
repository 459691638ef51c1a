"""When a fault strikes: asked once for each command, in order.

A trigger counts over the life of its fault, resets included.
"""

from collections.abc import Callable

Trigger = Callable[[bytes], bool]
"""Told each command, in order: does the fault strike now?"""


def nth(number: int, ins: int | None = None) -> Trigger:
    """Strikes once, at the ``number``-th command (from 1), or the ``number``-th with ``ins``."""
    seen = 0

    def strikes(apdu: bytes) -> bool:
        nonlocal seen
        seen += ins is None or apdu[1] == ins
        return seen == number and (ins is None or apdu[1] == ins)

    return strikes


def every(ins: int) -> Trigger:
    """Strikes at every command with instruction ``ins``."""
    return lambda apdu: apdu[1] == ins


def always(_apdu: bytes) -> bool:
    """Strikes at every command."""
    return True


def since(first: Trigger) -> Trigger:
    """Strikes when ``first`` does, and at every command after it."""
    struck = False

    def strikes(apdu: bytes) -> bool:
        nonlocal struck
        struck = struck or first(apdu)
        return struck

    return strikes
