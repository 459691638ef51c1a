"""When a fault strikes: asked once for each command, in order.

A trigger counts over the life of its fault, resets included.
"""

from collections.abc import Callable, Collection

Trigger = Callable[[bytes], bool]
"""Told each command, in order: does the fault strike now?"""


def nth(number: int, ins: int | Collection[int] | None = None) -> Trigger:
    """Strikes once, at the ``number``-th command (from 1), or the ``number``-th with ``ins``.

    ``ins`` may be several instructions: any of them counts.
    """
    counted = (ins,) if isinstance(ins, int) else ins
    seen = 0

    def strikes(apdu: bytes) -> bool:
        nonlocal seen
        counts = counted is None or apdu[1] in counted
        seen += counts
        return counts and seen == number

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


class Watched:
    """A trigger that remembers whether it has struck."""

    def __init__(self, trigger: Trigger) -> None:
        self._trigger = trigger
        self.struck = False
        """Whether it has struck at least once."""

    def __call__(self, apdu: bytes) -> bool:
        """As the trigger itself."""
        strikes = self._trigger(apdu)
        self.struck = self.struck or strikes
        return strikes
