"""Cards in real readers, over PC/SC: the only module that speaks pyscard.

A connection is shared, holds a PC/SC transaction from connect to close, and
resets the card when it lets go, so that no other program inherits the PIN
state. Source: PC/SC part 5 and 10; pcsc-lite winscard.
"""

from typing import Any

from smartcard import scard

from cardlib.errors import (
    CardGoneError,
    CardlibError,
    CardMissingError,
    PresenceError,
    ReaderMissingError,
    ServiceMissingError,
)

_PROTOCOLS = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
_SERVICE = (
    scard.SCARD_E_NO_SERVICE,
    scard.SCARD_E_SERVICE_STOPPED,
    scard.SCARD_F_COMM_ERROR,
    scard.SCARD_F_INTERNAL_ERROR,
)
_READER = (
    scard.SCARD_E_NO_READERS_AVAILABLE,
    scard.SCARD_E_READER_UNAVAILABLE,
    scard.SCARD_E_UNKNOWN_READER,
)
_NO_CARD = (scard.SCARD_E_NO_SMARTCARD, scard.SCARD_W_REMOVED_CARD)


def readers() -> list[str]:
    """Names of the readers, cards in them or not; ServiceMissingError without the daemon."""
    context = _context()
    try:
        code, names = scard.SCardListReaders(context, [])
        if _unsigned(code) == _unsigned(scard.SCARD_E_NO_READERS_AVAILABLE):
            return []
        _check(code)
        return list(names)
    finally:
        scard.SCardReleaseContext(context)


def connect(name: str | None = None) -> "PcscConnection":
    """Connects to the card in the first reader whose name contains ``name``.

    Without a name: the first reader that holds a card. ServiceMissingError,
    ReaderMissingError, CardMissingError, or PresenceError ``READER_BUSY``.
    """
    found = [reader for reader in readers() if name is None or name in reader]
    if not found:
        raise ReaderMissingError(reader=name or "")
    for reader in found[:-1]:
        try:
            return PcscConnection(reader)
        except CardMissingError:
            continue
    return PcscConnection(found[-1])


class PcscConnection:
    """Implements ``CardConnection`` for one card in one reader."""

    def __init__(self, reader: str) -> None:
        self.reader = reader
        self._context: Any = _context()
        self._card: Any = None
        try:
            self._connect()
        except CardlibError:
            self.close()
            raise

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        code, _, _, _, atr = scard.SCardStatus(self._card)
        _check(code)
        return bytes(atr)

    def transmit(self, apdu: bytes) -> bytes:
        """Sends a command; CardGoneError whenever no whole answer came back."""
        code, answer = scard.SCardTransmit(self._card, self._header, list(apdu))
        if code != scard.SCARD_S_SUCCESS or len(answer) < 2:
            raise CardGoneError
        return bytes(answer)

    def reset(self) -> None:
        """Resets the card and begins a new transaction."""
        self._end_transaction(scard.SCARD_RESET_CARD)
        code, protocol = scard.SCardReconnect(
            self._card, scard.SCARD_SHARE_SHARED, _PROTOCOLS, scard.SCARD_RESET_CARD
        )
        self._begin(code, protocol)

    def close(self) -> None:
        """Resets the card and lets it and the service go."""
        if self._card is not None:
            self._end_transaction(scard.SCARD_RESET_CARD)
            scard.SCardDisconnect(self._card, scard.SCARD_RESET_CARD)
            self._card = None
        if self._context is not None:
            scard.SCardReleaseContext(self._context)
            self._context = None

    def _connect(self) -> None:
        code, card, protocol = scard.SCardConnect(
            self._context, self.reader, scard.SCARD_SHARE_SHARED, _PROTOCOLS
        )
        _check(code)
        self._card = card
        self._begin(code, protocol)

    def _begin(self, code: int, protocol: int) -> None:
        if code != scard.SCARD_S_SUCCESS:
            raise CardGoneError
        t0 = protocol == scard.SCARD_PROTOCOL_T0
        self._header = scard.SCARD_PCI_T0 if t0 else scard.SCARD_PCI_T1
        if scard.SCardBeginTransaction(self._card) != scard.SCARD_S_SUCCESS:
            raise CardGoneError

    def _end_transaction(self, disposition: int) -> None:
        scard.SCardEndTransaction(self._card, disposition)


def _context() -> Any:
    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    _check(code)
    return context


def _unsigned(code: int) -> int:
    """PC/SC codes come signed or unsigned, as the platform likes."""
    return code & 0xFFFFFFFF


def _check(code: int) -> None:
    if code == scard.SCARD_S_SUCCESS:
        return
    number = _unsigned(code)
    if number in map(_unsigned, _SERVICE):
        raise ServiceMissingError
    if number in map(_unsigned, _READER):
        raise ReaderMissingError(reader="")
    if number in map(_unsigned, _NO_CARD):
        raise CardMissingError
    if number == _unsigned(scard.SCARD_E_SHARING_VIOLATION):
        raise PresenceError("READER_BUSY")
    raise CardGoneError
