"""The PC/SC service as this package uses it: plain types, and what its calls promise.

``winscard`` is the real one; a simulated service in tests is another. No policy here: no
waiting, no threads, nothing is tried twice. What fails raises our errors (``codes``).
Every call may block for as long as service, driver or another program's transaction
likes; a handle and its context are for one thread at a time, save :meth:`Context.cancel`.
Source: PC/SC part 5; pcsc-lite winscard.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Protocol

PNP_READER = "\\\\?PnP?\\Notification"
"""Not a reader: its state changes when readers come and go."""


class Disposition(IntEnum):
    """What happens to the card when a transaction or a connection ends."""

    LEAVE = 0
    RESET = 1
    UNPOWER = 2


class StateFlag(IntFlag):
    """Low 16 bits of a reader's event state; above them pcsc-lite counts ins and outs."""

    CHANGED = 0x0002
    UNKNOWN = 0x0004
    UNAVAILABLE = 0x0008
    EMPTY = 0x0010
    PRESENT = 0x0020
    EXCLUSIVE = 0x0080
    INUSE = 0x0100
    MUTE = 0x0200


@dataclass(frozen=True, slots=True)
class ReaderState:
    """A reader as the service sees it. ``state``: 32 bits, ``StateFlag`` and the counter."""

    reader: str
    state: int = 0
    atr: bytes = b""

    @property
    def has_card(self) -> bool:
        """Whether a card is in it, mute ones too."""
        return bool(self.state & StateFlag.PRESENT)

    @property
    def in_use(self) -> bool:
        """Whether a program is connected to its card."""
        return bool(self.state & (StateFlag.INUSE | StateFlag.EXCLUSIVE))


class Handle(Protocol):
    """A connected card."""

    @property
    def protocol(self) -> int:
        """0 for T=0, 1 for T=1."""
        ...

    def begin(self) -> None:
        """Begins a transaction; waits for another program's to end."""
        ...

    def end(self, disposition: Disposition) -> None:
        """Ends it; a reset happens before any other program gets the card."""
        ...

    def transmit(self, apdu: bytes) -> bytes:
        """The response APDU; CardGoneError when there is no whole one."""
        ...

    def control(self, code: int, data: bytes) -> bytes:
        """Sends ``data`` to the reader; ``code`` as the platform numbers it."""
        ...

    def status(self) -> bytes:
        """The ATR; nothing goes to the card. Notices that the handle is no good any more."""
        ...

    def reconnect(self, disposition: Disposition) -> None:
        """Takes up the card again after a reset; the protocol may be another."""
        ...

    def disconnect(self, disposition: Disposition) -> None:
        """Lets the card go."""
        ...


class Context(Protocol):
    """A link to the service; it dies with the service and is then of no use any more."""

    def readers(self) -> list[str]:
        """Names of the readers, in the service's order."""
        ...

    def states(self, known: Sequence[ReaderState], wait_ms: int) -> list[ReaderState] | None:
        """Waits until a reader's state is no longer the known one; None when time is up.

        None also after :meth:`cancel`. State 0 is never a reader's present one: returns
        at once. ReaderMissingError when one of them is not there any more.
        """
        ...

    def connect(self, reader: str) -> Handle:
        """Connects to the card in ``reader``, shared with other programs."""
        ...

    def cancel(self) -> None:
        """Ends a :meth:`states` that waits in another thread; lost when none waits yet."""
        ...

    def release(self) -> None:
        """Gives the link back, whatever state it is in; raises nothing."""
        ...


Establish = Callable[[], Context]
"""Opens a link to the service; ServiceMissingError."""
