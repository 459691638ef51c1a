"""The calls of PC/SC that we use, typed (``service``): the only module that speaks pyscard.

Bytes are bytes, codes are unsigned, and what fails raises our errors (``codes``).
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from smartcard import scard

from cardlib.errors import CardGoneError, ServiceMissingError
from cardlib.pcsc.codes import Code, error_of
from cardlib.pcsc.service import Disposition, ReaderState

_SOCKET = "/run/pcscd/pcscd.comm"
_PROTOCOLS = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
_HEADERS = {0: scard.SCARD_PCI_T0, 1: scard.SCARD_PCI_T1}


class WinscardHandle:
    """A card handle of the system."""

    def __init__(self, handle: Any, protocol: int) -> None:
        self._handle = handle
        self.protocol = protocol
        """0 for T=0, 1 for T=1."""

    def begin(self) -> None:
        """Begins a transaction; waits for another program's to end."""
        _check(scard.SCardBeginTransaction(self._handle))

    def end(self, disposition: Disposition) -> None:
        """Ends it; a reset happens before any other program gets the card."""
        _check(scard.SCardEndTransaction(self._handle, disposition))

    def transmit(self, apdu: bytes) -> bytes:
        """The response APDU; CardGoneError when there is no whole one."""
        code, answer = scard.SCardTransmit(self._handle, _HEADERS[self.protocol], list(apdu))
        _check(code)
        if len(answer) < 2:
            raise CardGoneError
        return bytes(answer)

    def control(self, code: int, data: bytes) -> bytes:
        """SCardControl: ``code`` as the platform numbers it; the reader's answer."""
        result, answer = scard.SCardControl(self._handle, code, list(data))
        _check(result)
        return bytes(value & 0xFF for value in answer)

    def status(self) -> bytes:
        """The ATR; nothing goes to the card. Notices that the handle is no good any more."""
        code, _reader, _state, _protocol, atr = scard.SCardStatus(self._handle)
        _check(code)
        return bytes(atr)

    def reconnect(self, disposition: Disposition) -> None:
        """Powers up again after a reset; the protocol may be another."""
        code, protocol = scard.SCardReconnect(
            self._handle, scard.SCARD_SHARE_SHARED, _PROTOCOLS, disposition
        )
        _check(code)
        self.protocol = _number(protocol)

    def disconnect(self, disposition: Disposition) -> None:
        """Lets the card go."""
        _check(scard.SCardDisconnect(self._handle, disposition))


class WinscardContext:
    """A context of the system."""

    def __init__(self) -> None:
        code, self._context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        if unsigned(code) == Code.NO_SERVICE and not may_use_socket():
            raise ServiceMissingError("PCSC_NOT_PERMITTED")
        _check(code)

    def readers(self) -> list[str]:
        """Names of the readers, in the service's order."""
        code, names = scard.SCardListReaders(self._context, [])
        if unsigned(code) == Code.NO_READERS_AVAILABLE:
            return []
        _check(code)
        return list(names)

    def states(self, known: Sequence[ReaderState], wait_ms: int) -> list[ReaderState] | None:
        """Waits until a reader's state is no longer the known one; None when time is up.

        None also after :meth:`cancel`. State 0 is never the present one: returns at once.
        """
        asked = [(state.reader, state.state) for state in known]
        code, found = scard.SCardGetStatusChange(self._context, wait_ms, asked)
        if unsigned(code) in (Code.TIMEOUT, Code.CANCELLED):
            return None
        _check(code)
        return [ReaderState(name, unsigned(state), bytes(atr)) for name, state, atr in found]

    def connect(self, reader: str) -> WinscardHandle:
        """Connects to the card in ``reader``, shared with other programs."""
        code, handle, protocol = scard.SCardConnect(
            self._context, reader, scard.SCARD_SHARE_SHARED, _PROTOCOLS
        )
        _check(code, reader)
        return WinscardHandle(handle, _number(protocol))

    def cancel(self) -> None:
        """Ends a :meth:`states` that waits in another thread; lost when none waits yet."""
        scard.SCardCancel(self._context)

    def release(self) -> None:
        """Gives the link back, whatever state it is in."""
        scard.SCardReleaseContext(self._context)


def may_use_socket() -> bool:
    """False when the daemon's socket is there and this user must not write to it.

    pcsc-lite's client says only "no service" then. True on systems that have no socket.
    """
    path = Path(os.environ.get("PCSCLITE_CSOCK_NAME", _SOCKET))
    try:
        # In this order: a socket that goes away meanwhile is not one that is forbidden.
        return os.access(path, os.R_OK | os.W_OK) or not path.exists()
    except PermissionError:  # not even its directory may be looked into
        return False


def unsigned(code: int) -> int:
    """PC/SC numbers come signed or unsigned, as the platform likes."""
    return code & 0xFFFFFFFF


def _number(protocol: int) -> int:
    return 0 if protocol == scard.SCARD_PROTOCOL_T0 else 1


def _check(code: int, reader: str = "") -> None:
    if unsigned(code) != Code.SUCCESS:
        raise error_of(unsigned(code), reader)
