"""What happens to honest cards: pulled out, reset, mute, slow.

After a tear every ``transmit`` raises CardGoneError until ``reinsert()``.
"""

from collections.abc import Callable

from cardlib.connection import CardConnection
from cardlib.errors import CardGoneError
from simulator.card.card import VirtualCard
from simulator.card.chip import Tear
from simulator.faults.shim import Shim
from simulator.faults.triggers import Trigger


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
