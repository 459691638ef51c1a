"""Cards in real readers, over PC/SC.

``connect`` opens the card in a reader whose name fits a pattern; ``readers`` lists the
readers. A connection is shared, holds a PC/SC transaction from connect to close, and
resets the card when it lets go, so that no other program inherits the PIN state.
"""

from cardlib.pcsc.connection import PcscConnection, TimeLimits
from cardlib.pcsc.link import Search
from cardlib.pcsc.machine import real_service

__all__ = ["PcscConnection", "Search", "TimeLimits", "connect", "readers"]


def readers() -> list[str]:
    """Names of the readers, cards in them or not; ServiceMissingError without the daemon."""
    context = real_service()
    try:
        return context.readers()
    finally:
        context.release()


def connect(name: str | None = None, besides: str = "") -> PcscConnection:
    """Connects to the card in the first reader that ``name`` means (``names.matches``).

    Only readers that hold a card count, in the order of their names; those that
    ``besides`` means are never taken. ServiceMissingError, ReaderMissingError,
    CardMissingError, CardSilentError, or PresenceError ``READER_BUSY``, ``READER_SILENT``.
    """
    return PcscConnection(Search(name or "", besides))
