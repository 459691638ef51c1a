"""Cards in real readers, over PC/SC.

``connect`` opens the card in a reader whose name fits a pattern; ``readers`` lists the
readers. A connection is shared, holds a PC/SC transaction from connect to close, and
resets the card when it lets go, so that no other program inherits the PIN state.
"""

from cardlib.errors import CardMissingError, ReaderMissingError
from cardlib.pcsc.connection import PcscConnection
from cardlib.pcsc.names import meant
from cardlib.pcsc.winscard import Context

__all__ = ["PcscConnection", "connect", "readers"]


def readers() -> list[str]:
    """Names of the readers, cards in them or not; ServiceMissingError without the daemon."""
    context = Context()
    try:
        return context.readers()
    finally:
        context.release()


def connect(name: str | None = None, besides: str = "") -> PcscConnection:
    """Connects to the card in the first reader that ``name`` means (``names.matches``).

    Without a name: the first reader that holds a card. Readers that ``besides`` means are
    never taken. ServiceMissingError, ReaderMissingError, CardMissingError,
    CardSilentError, or PresenceError ``READER_BUSY``.
    """
    found = meant(readers(), name or "", besides)
    if not found:
        raise ReaderMissingError(reader=name or "")
    for reader in found[:-1]:
        try:
            return PcscConnection(reader)
        except CardMissingError:
            continue
    return PcscConnection(found[-1])
