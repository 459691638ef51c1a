"""The port to a card: what a reader, a virtual reader or a simulated card offers."""

from typing import Protocol, runtime_checkable


class CardConnection(Protocol):
    """One card, powered. Implementations: ``cardlib.pcsc``, ``simulator.faults``."""

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        ...

    def transmit(self, apdu: bytes) -> bytes:
        """Sends a command, as the card's protocol wants it; the whole answer.

        On T=1 an APDU; on T=0 a TPDU (``cardlib.transport``), so that 61xx and 6Cxx come
        back as they are. An implementation may say in ``protocol`` (0 or 1) what the
        reader has negotiated; without that the ATR decides.

        CardGoneError when the card or the reader went away or was reset: whether
        the card has acted is then unknown.
        """
        ...

    def reset(self) -> None:
        """Resets the card: PIN state, challenge and randoms are gone."""
        ...

    def close(self) -> None:
        """Lets the card go. May be called twice."""
        ...


@runtime_checkable
class InReader(Protocol):
    """A connection that knows which reader the card is in."""

    @property
    def reader(self) -> str:
        """The reader's name."""
        ...
