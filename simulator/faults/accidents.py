"""What happens to honest cards: pulled out, reset, mute, slow, worn out.

After a tear every ``transmit`` raises CardGoneError until ``reinsert()``.
"""

from collections.abc import Callable

from cardlib.codec.apdu import Response
from cardlib.codec.status import Status
from cardlib.connection import CardConnection
from cardlib.errors import CardGoneError
from cardlib.ports import Clock
from simulator.card.card import VirtualCard
from simulator.card.chip import Tear
from simulator.faults.shim import Shim
from simulator.faults.triggers import Trigger

IDLE_S = 5.0
GARBAGE = bytes.fromhex("FFFFFF")
_VERIFY, _GET_RESPONSE = 0x20, 0xC0
_SIXTEEN_MORE = b"\x61\x10"


class Removable(Shim):
    """A card that can be pulled out; ``when`` says when, subclasses how far the card got."""

    def __init__(self, inner: CardConnection, when: Trigger) -> None:
        super().__init__(inner)
        self._when = when
        self.gone = False
        """Whether the card is out of the reader."""

    def transmit(self, apdu: bytes) -> bytes:
        """CardGoneError from the tear on, until the card is put back."""
        self._require_card()
        if not self._when(apdu):
            return self.inner.transmit(apdu)
        self.gone = True
        self._strike(apdu)
        raise CardGoneError

    def reset(self) -> None:
        """CardGoneError while the card is out."""
        self._require_card()
        self.inner.reset()

    def close(self) -> None:
        """Closing finds no card to reset, and does not mind."""
        if not self.gone:
            self.inner.close()

    def reinsert(self) -> None:
        """Puts the card back: it is powered up afresh."""
        self.gone = False
        self.inner.reset()

    def _require_card(self) -> None:
        if self.gone:
            raise CardGoneError

    def _strike(self, apdu: bytes) -> None:
        raise NotImplementedError


class TearBefore(Removable):
    """Accident: the card is pulled out before the command reaches it."""

    def _strike(self, apdu: bytes) -> None:
        pass


class TearAfter(Removable):
    """Accident: the card has acted, but is pulled out before its answer arrives."""

    def _strike(self, apdu: bytes) -> None:
        self.inner.transmit(apdu)


class TearDuring(Removable):
    """Accident: power fails in the middle of a write; ``tear`` says what it leaves behind.

    A command that writes nothing is torn after it.
    """

    def __init__(self, inner: CardConnection, card: VirtualCard, when: Trigger, tear: Tear) -> None:
        super().__init__(inner, when)
        self._card = card
        self._tear = tear

    def _strike(self, apdu: bytes) -> None:
        self._card.tear_next_write(self._tear)
        try:
            self.inner.transmit(apdu)
        finally:
            self._card.tear_next_write(None)


class ResetBefore(Shim):
    """Accident: the card is reset before the command (another program, an idle time-out)."""

    def __init__(self, inner: CardConnection, when: Trigger) -> None:
        super().__init__(inner)
        self._when = when

    def transmit(self, apdu: bytes) -> bytes:
        """Resets, then passes on."""
        if self._when(apdu):
            self.inner.reset()
        return self.inner.transmit(apdu)


class Mute(Shim):
    """Accident: the card acts and never answers again, until it is reset."""

    def __init__(self, inner: CardConnection, when: Trigger) -> None:
        super().__init__(inner)
        self._when = when
        self._mute = False

    def transmit(self, apdu: bytes) -> bytes:
        """CardGoneError from the trigger on."""
        if not self._mute:
            answer = self.inner.transmit(apdu)
            self._mute = self._when(apdu)
            if not self._mute:
                return answer
        raise CardGoneError

    def reset(self) -> None:
        """Makes the card answer again."""
        self._mute = False
        self.inner.reset()


class Slow(Shim):
    """Accident: the card takes ``seconds`` longer, waited through ``sleep``."""

    def __init__(
        self, inner: CardConnection, when: Trigger, seconds: float, sleep: Callable[[float], None]
    ) -> None:
        super().__init__(inner)
        self._when, self._seconds, self._sleep = when, seconds, sleep

    def transmit(self, apdu: bytes) -> bytes:
        """Waits, then passes on."""
        if self._when(apdu):
            self._sleep(self._seconds)
        return self.inner.transmit(apdu)


class MemoryFailure(Shim):
    """Accident: the chip cannot write, and says so: 6581, with nothing changed.

    A chip that says 6581 and has written all the same is ``ForgedStatus`` with that status.
    """

    def __init__(self, inner: CardConnection, when: Trigger) -> None:
        super().__init__(inner)
        self._when = when

    def transmit(self, apdu: bytes) -> bytes:
        """6581 instead of the command's effect."""
        if self._when(apdu):
            return bytes(Response(b"", Status.MEMORY_FAILURE))
        return self.inner.transmit(apdu)


class BlockedPin(Shim):
    """Accident: no try is left: every VERIFY is 6983. The card itself is left as it was."""

    def transmit(self, apdu: bytes) -> bytes:
        """6983 for VERIFY, the card's answer for all else."""
        if apdu[1] == _VERIFY:
            return bytes(Response(b"", Status.BLOCKED))
        return self.inner.transmit(apdu)


class IdleReset(Shim):
    """Accident: a reader that resets a card left idle for ``seconds``, as Windows does.

    The first command after that is lost with CardGoneError; the card has forgotten PIN
    and randoms. :meth:`keep_alive` counts as use, as SCardStatus does there. Source:
    Microsoft, *SCardBeginTransaction*, remarks: five seconds.
    """

    def __init__(self, inner: CardConnection, clock: Clock, seconds: float = IDLE_S) -> None:
        super().__init__(inner)
        self._clock = clock
        self._idle_ms = seconds * 1000
        self._used_ms = clock.monotonic_ms()

    def transmit(self, apdu: bytes) -> bytes:
        """CardGoneError for the first command after an idle time, else the card's answer."""
        self.keep_alive()
        answer = self.inner.transmit(apdu)
        self._used_ms = self._clock.monotonic_ms()
        return answer

    def keep_alive(self) -> None:
        """Uses the card without a command; CardGoneError when that comes too late."""
        now = self._clock.monotonic_ms()
        idle, self._used_ms = now - self._used_ms, now
        if idle >= self._idle_ms:
            self.inner.reset()
            raise CardGoneError

    def reset(self) -> None:
        """A reset by the host counts as use."""
        self._used_ms = self._clock.monotonic_ms()
        self.inner.reset()


class EndlessAnswer(Shim):
    """Accident: from the trigger on the card always has more to say: 61xx without an end."""

    def __init__(self, inner: CardConnection, when: Trigger) -> None:
        super().__init__(inner)
        self._when = when
        self._talking = False

    def transmit(self, apdu: bytes) -> bytes:
        """16 bytes and 6110 for GET RESPONSE; 6110 for the command that it struck."""
        if self._when(apdu):
            self.inner.transmit(apdu)
            self._talking = True
            return _SIXTEEN_MORE
        if apdu[1] == _GET_RESPONSE and self._talking:
            return bytes(16) + _SIXTEEN_MORE
        self._talking = False
        return self.inner.transmit(apdu)


class GarbageAtr(Shim):
    """Accident: dirty contacts: what comes at power-up is no ATR."""

    def __init__(self, inner: CardConnection, atr: bytes = GARBAGE) -> None:
        super().__init__(inner)
        self._atr = atr

    @property
    def atr(self) -> bytes:
        """Not the card's."""
        return self._atr
