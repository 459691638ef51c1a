"""What a bad reader, a bad chip or a bad machine does to a dialogue: stand-ins for these cases.

Each is a ``CardConnection`` around another one, like those of ``simulator.faults``.
"""

from collections.abc import Callable

from cardlib.connection import CardConnection
from cardlib.errors import CardGoneError, PresenceError
from simulator.faults import Shim, Trigger
from tests.integration.terminal.stage import StageClock

HANG_S = 30


class Answers(Shim):
    """The answer to some commands is ``answer(command)``, whether the card has ``acted`` or not."""

    def __init__(
        self,
        inner: CardConnection,
        when: Trigger,
        answer: Callable[[bytes], bytes],
        *,
        acted: bool = False,
    ) -> None:
        super().__init__(inner)
        self._when, self._answer, self._acted = when, answer, acted

    def transmit(self, apdu: bytes) -> bytes:
        """See the class."""
        if not self._when(apdu):
            return self.inner.transmit(apdu)
        if self._acted:
            self.inner.transmit(apdu)
        return self._answer(apdu)


class Lost(Shim):
    """From the trigger on every call raises ``error``: reader or service is no more.

    ``acted``: the command that was on its way still reached the card.
    """

    def __init__(
        self, inner: CardConnection, when: Trigger, error: PresenceError, *, acted: bool = False
    ) -> None:
        super().__init__(inner)
        self._when, self._error, self._acted = when, error, acted
        self.lost = False

    def transmit(self, apdu: bytes) -> bytes:
        """See the class."""
        if not self.lost and self._when(apdu):
            self.lost = True
            if self._acted:
                self.inner.transmit(apdu)
        self._require()
        return self.inner.transmit(apdu)

    def reset(self) -> None:
        """A reader that is not there resets nothing."""
        self._require()
        self.inner.reset()

    def close(self) -> None:
        """Nothing to let go of any more."""
        if not self.lost:
            self.inner.close()

    def _require(self) -> None:
        if self.lost:
            raise self._error


class Silent(Shim):
    """A peer that takes a command and never answers: after 30 s the driver gives it up."""

    def __init__(self, inner: CardConnection, when: Trigger, clock: StageClock) -> None:
        super().__init__(inner)
        self._when, self._clock = when, clock

    def transmit(self, apdu: bytes) -> bytes:
        """The card has acted, nobody hears of it."""
        answer = self.inner.transmit(apdu)
        if self._when(apdu):
            self._clock.sleep(HANG_S)
            raise CardGoneError
        return answer


class Suspended(Shim):
    """The laptop sleeps before a command: wall time jumps, the reader powers the card anew."""

    def __init__(
        self, inner: CardConnection, when: Trigger, clock: StageClock, seconds: int
    ) -> None:
        super().__init__(inner)
        self._when, self._clock, self._seconds = when, clock, seconds

    def transmit(self, apdu: bytes) -> bytes:
        """Linux's monotonic clock stands still meanwhile."""
        if self._when(apdu):
            self._clock.turn(self._seconds)
            self.inner.reset()
        return self.inner.transmit(apdu)


class ByteWise(Shim):
    """A T=0 reader that leaves 61xx and 6Cxx to the host, ``chunk`` bytes an answer.

    ISO/IEC 7816-3:2006, 10.3: the data of a command with data is fetched by GET RESPONSE;
    a command with the wrong Le is told the right one and does nothing.
    """

    def __init__(self, inner: CardConnection, chunk: int = 32) -> None:
        super().__init__(inner)
        self._chunk = chunk
        self._waiting = b""
        self._told: set[bytes] = set()
        self.repeated: list[bytes] = []
        """Commands that were told their Le, to see which came twice."""

    def transmit(self, apdu: bytes) -> bytes:
        """See the class."""
        if apdu[1] == 0xC0:
            return self._next(apdu[4] or 256)
        case_2 = len(apdu) == 5 and apdu[1] == 0xB0
        if case_2 and apdu[:4] not in self._told:
            self._told.add(apdu[:4])
            self.repeated.append(apdu)
            return bytes((0x6C, apdu[4]))
        answer = self.inner.transmit(apdu)
        if len(answer) == 2 or len(apdu) <= 5:
            return answer
        self._waiting = answer
        return self._announced()

    def _next(self, count: int) -> bytes:
        data, status = self._waiting[:-2], self._waiting[-2:]
        taken, rest = data[: min(count, self._chunk)], data[min(count, self._chunk) :]
        self._waiting = rest + status
        return taken + (self._announced() if rest else status)

    def _announced(self) -> bytes:
        return bytes((0x61, min(len(self._waiting) - 2, self._chunk)))
