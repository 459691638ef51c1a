"""The machine's own clock and randomness: the only module that asks for either."""

import os
import secrets
import time
import uuid
from pathlib import Path

_LINUX_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """The clock of this machine. ``boot_id`` is the kernel's, or one for this process."""

    def __init__(self) -> None:
        self._boot_id = _read_boot_id()

    @property
    def boot_id(self) -> bytes:
        """First eight bytes of the kernel's boot id."""
        return self._boot_id

    def unix_ms(self) -> int:
        """Wall time in milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """Milliseconds of this boot, time asleep included where the system counts it."""
        return _since_boot_ns() // 1_000_000

    def sleep(self, seconds: float) -> None:
        """Waits for ``seconds``."""
        time.sleep(seconds)


def _since_boot_ns() -> int:
    if hasattr(time, "CLOCK_BOOTTIME"):  # Linux: monotonic() stands still during suspend
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return time.monotonic_ns()


def _read_boot_id() -> bytes:
    try:
        return uuid.UUID(_LINUX_BOOT_ID.read_text().strip()).bytes[:8]
    except (OSError, ValueError):
        return os.urandom(8)


class SystemRandomness:
    """The operating system's random generator."""

    def bytes(self, count: int) -> bytes:
        """``count`` unpredictable bytes."""
        return secrets.token_bytes(count)
