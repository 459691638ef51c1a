"""A card in a reader, as a connection that dialogues can use."""

from cardlib.errors import CardGoneError, CardlibError, PresenceError
from cardlib.pcsc.winscard import Context, Disposition, Handle


class PcscConnection:
    """Implements ``CardConnection`` for one card in one reader."""

    def __init__(self, reader: str) -> None:
        self.reader = reader
        self._context: Context | None = Context()
        self._handle: Handle | None = None
        try:
            self._handle = self._context.connect(reader)
            self._handle.begin()
        except CardlibError:
            self.close()
            raise

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self._card.status()

    @property
    def protocol(self) -> int:
        """0 for T=0, 1 for T=1."""
        return self._card.protocol

    def transmit(self, apdu: bytes) -> bytes:
        """Sends a command; CardGoneError whenever no whole answer came back."""
        try:
            return self._card.transmit(apdu)
        except PresenceError as error:
            raise CardGoneError from error

    def control(self, code: int, data: bytes) -> bytes:
        """Sends ``data`` to the reader, not to the card; ``code`` as the platform numbers it."""
        return self._card.control(code, data)

    def reset(self) -> None:
        """Resets the card and begins a new transaction."""
        try:
            self._card.end(Disposition.RESET)
            self._card.reconnect(Disposition.RESET)
            self._card.begin()
        except PresenceError as error:
            raise CardGoneError from error

    def close(self) -> None:
        """Resets the card and lets it and the service go."""
        handle, self._handle = self._handle, None
        context, self._context = self._context, None
        if handle is not None:
            for act in (handle.end, handle.disconnect):
                try:
                    act(Disposition.RESET)
                except CardlibError:
                    continue  # it is gone already
        if context is not None:
            context.release()

    @property
    def _card(self) -> Handle:
        if self._handle is None:
            raise CardGoneError
        return self._handle
