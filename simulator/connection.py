"""A virtual card in this process, as a connection that dialogues can use."""

from typing import Protocol

from cardlib.errors import CardGoneError


class PluggableCard(Protocol):
    """What can be in a reader: ``VirtualCard``, ``ModuleCard``."""

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        ...

    def transmit(self, apdu: bytes) -> bytes:
        """The answer to a command APDU; empty without power."""
        ...

    def power_on(self) -> None:
        """Supplies power."""
        ...

    def power_off(self) -> None:
        """Cuts the power."""
        ...


class InProcessConnection:
    """A ``cardlib.connection.CardConnection`` to a virtual card.

    Several may share one card, as several programs share one in a reader. A card that
    lost power in the middle of a write is gone until :meth:`reset`, which is what
    putting it back amounts to.
    """

    def __init__(self, card: PluggableCard) -> None:
        self.card = card

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self.card.atr

    def transmit(self, apdu: bytes) -> bytes:
        """The card's answer; CardGoneError when it has no power."""
        answer = self.card.transmit(apdu)
        if not answer:
            raise CardGoneError
        return answer

    def reset(self) -> None:
        """Resets the card, or powers it up again."""
        self.card.power_off()
        self.card.power_on()

    def close(self) -> None:
        """Resets the card: what was verified is not left to the next program."""
        self.reset()
