"""Ports that every package injects: time and randomness.

The real ones are in ``cardlib.system``; the simulated town brings its own, so
that the same logic runs in virtual time (DESIGN 3).
"""

from typing import Protocol


class Clock(Protocol):
    """Wall and monotonic time."""

    @property
    def boot_id(self) -> bytes:
        """Eight bytes that change when monotonic time starts anew."""
        ...

    def unix_ms(self) -> int:
        """Wall time in milliseconds since 1970."""
        ...

    def monotonic_ms(self) -> int:
        """Milliseconds that never run backwards within one boot."""
        ...

    def sleep(self, seconds: float) -> None:
        """Waits; virtual clocks only move on."""
        ...


class Randomness(Protocol):
    """A source of unpredictable bytes."""

    def bytes(self, count: int) -> bytes:
        """``count`` fresh bytes."""
        ...
