"""Time in the town: one virtual time for everybody, and devices whose clocks are their own.

Town time is milliseconds since 1970 and only moves forwards. A device reads it through its
own clock, which may be off, run fast, jump, or start anew at a reboot.
"""

from hashlib import sha256

_PPM = 1_000_000
_BOOT_ID_SIZE = 8


class TownTime:
    """The one true time of a town, in milliseconds since 1970."""

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms

    @property
    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return self._now_ms

    @property
    def now_s(self) -> int:
        """Whole seconds since 1970."""
        return self._now_ms // 1000

    def move_to(self, instant_ms: int) -> None:
        """Moves on to an instant; one that is past already changes nothing."""
        self._now_ms = max(self._now_ms, instant_ms)

    def advance(self, milliseconds: int) -> None:
        """Lets time pass."""
        assert milliseconds >= 0, "time runs forwards"
        self._now_ms += milliseconds


class DeviceClock:
    """The clock of one device: implements ``cardlib.ports.Clock`` on town time.

    ``offset_ms`` is how far its wall clock is ahead; ``drift_ppm`` by how many millionths
    both of its clocks run fast. ``name`` makes its boot ids its own.
    """

    def __init__(
        self, time: TownTime, name: str = "", *, offset_ms: int = 0, drift_ppm: int = 0
    ) -> None:
        self._time = time
        self._name = name
        self._offset_ms = offset_ms
        self._drift_ppm = drift_ppm
        self._born_ms = time.now_ms
        self._boots = 0
        self._booted_ms = time.now_ms

    @property
    def boot_id(self) -> bytes:
        """Eight bytes, others after each :meth:`reboot`."""
        return sha256(f"{self._name}:{self._boots}".encode()).digest()[:_BOOT_ID_SIZE]

    @property
    def town_ms(self) -> int:
        """The true time, which the device does not know."""
        return self._time.now_ms

    @property
    def offset_ms(self) -> int:
        """How far its wall clock is ahead of town time now, drift included."""
        return self.unix_ms() - self._time.now_ms

    def unix_ms(self) -> int:
        """Wall time as this device believes it to be; none is before 1970."""
        passed = self._time.now_ms - self._born_ms
        return max(0, self._time.now_ms + self._offset_ms + passed * self._drift_ppm // _PPM)

    def monotonic_ms(self) -> int:
        """Milliseconds since this device booted."""
        passed = self._time.now_ms - self._booted_ms
        return passed + passed * self._drift_ppm // _PPM

    def sleep(self, seconds: float) -> None:
        """Moves town time on: nobody else is doing anything meanwhile."""
        self._time.advance(int(seconds * 1000))

    def jump(self, seconds: float) -> None:
        """Somebody, or an empty battery, sets the wall clock; negative is backwards."""
        self._offset_ms = max(self._offset_ms + int(seconds * 1000), -self._time.now_ms)

    def set_right(self) -> None:
        """Somebody sets the wall clock to the true time."""
        self._offset_ms -= self.offset_ms

    def reboot(self) -> None:
        """Monotonic time begins anew, with another boot id; the wall clock goes on."""
        self._boots += 1
        self._booted_ms = self._time.now_ms
