"""Plugs a card into pcscd's virtual reader (vpcd), over TCP.

Frames in both directions are a two-byte big-endian length and a body. A body of one
byte is control: 00 power off, 01 power on, 02 reset (no reply), 04 ask for the ATR,
which is also how the reader looks whether a card is there: answered at any time,
without touching the card. Everything else is a command APDU. A closed socket is a card
taken out. Source: vsmartcard, vpcd.c and ifd-vpcd.c.

Two things bite: without TCP_QUICKACK before *every* receive a command takes 44 ms
(vpcd sends length and body apart, Nagle on), and a peer that neither answers nor
closes blocks the reader for good. So whatever goes wrong here closes the socket.
"""

import logging
import socket
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from cardlib.connection import CardConnection
from cardlib.errors import CardGoneError
from simulator.errors import ReaderLinkError

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 35963
_OFF, _ON, _RESET, _ATR = 0, 1, 2, 4
_RETRY_S = 0.2
_OUT_OF_READER_S = 0.6
"""Longer than pcscd's 400 ms poll, within which a swap of cards is not seen."""

_log = logging.getLogger(__name__)
Tracer = Callable[[bytes, bytes | None], None]
"""Told each command and its answer, None when there was none."""


def parse_address(text: str) -> tuple[str, int]:
    """``HOST:PORT``, ``:PORT`` or ``PORT``; ReaderLinkError for anything else."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ReaderLinkError("READER_ADDRESS", address=text)
    return host or DEFAULT_HOST, int(port)


class VirtualReader:
    """Keeps a card in one slot of vpcd, through restarts of pcscd, until stopped.

    A card that is torn (CardGoneError) leaves the reader and is put back after a while;
    ``reinsert`` is what the fault wrapper needs for that.
    """

    def __init__(
        self,
        connection: CardConnection,
        address: tuple[str, int] = (DEFAULT_HOST, DEFAULT_PORT),
        tracer: Tracer | None = None,
        reinsert: Callable[[], None] | None = None,
    ) -> None:
        self._connection = connection
        self._address = address
        self._tracer = tracer
        self._reinsert = reinsert or connection.reset
        self._stop = threading.Event()
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.connected = threading.Event()
        """Set while the reader holds the card."""

    def start(self) -> None:
        """Runs in a thread of its own."""
        self._thread = threading.Thread(target=self.run, name="virtual-reader", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Takes the card out and ends. Not from a signal handler: it takes a lock."""
        self._stop.set()
        with self._lock:
            if self._socket is not None:
                _hang_up(self._socket)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def run(self) -> None:
        """Serves until stopped; connects again whenever the reader goes away."""
        while not self._stop.is_set():
            link = self._connect()
            if link is None:
                self._stop.wait(_RETRY_S)
                continue
            self.connected.set()
            try:
                self._serve(link)
            finally:
                self.connected.clear()
                self._drop(link)

    def _connect(self) -> socket.socket | None:
        try:
            link = socket.create_connection(self._address, timeout=5)
        except OSError:
            return None
        link.settimeout(None)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._socket = link
            if self._stop.is_set():
                _hang_up(link)
        return link

    def _drop(self, link: socket.socket) -> None:
        with self._lock:
            self._socket = None
        link.close()

    def _serve(self, link: socket.socket) -> None:
        """Answers frames until the reader goes, the card goes, or something breaks."""
        try:
            self._connection.reset()
            while (frame := _receive(link)) is not None:
                reply = self._reply(frame)
                if reply is not None:
                    link.sendall(len(reply).to_bytes(2, "big") + reply)
        except CardGoneError:
            self._take_out(link)
            self._reinsert()
        except OSError:
            _log.debug("the virtual reader went away")
        except Exception:  # noqa: BLE001 - a hanging socket would block the reader for good
            _log.exception("virtual card failed; taken out of the reader")
            self._take_out(link)

    def _take_out(self, link: socket.socket) -> None:
        """The card is out of the reader for long enough to be noticed."""
        _hang_up(link)
        self.connected.clear()
        self._stop.wait(_OUT_OF_READER_S)

    def _reply(self, frame: bytes) -> bytes | None:
        if len(frame) != 1:
            return self._transmit(frame)
        control = frame[0]
        if control == _ATR:
            return self._connection.atr
        if control in (_OFF, _ON, _RESET):
            self._connection.reset()
        return None

    def _transmit(self, apdu: bytes) -> bytes:
        try:
            answer = self._connection.transmit(apdu)
        except CardGoneError:
            self._trace(apdu, None)
            raise
        self._trace(apdu, answer)
        return answer

    def _trace(self, apdu: bytes, answer: bytes | None) -> None:
        if self._tracer is not None:
            self._tracer(apdu, answer)


def _hang_up(link: socket.socket) -> None:
    try:
        link.shutdown(socket.SHUT_RDWR)
    except OSError:
        _log.debug("the virtual reader had already gone")


def _receive(link: socket.socket) -> bytes | None:
    """One frame; None when the reader closed the connection."""
    head = _receive_exactly(link, 2)
    return None if head is None else _receive_exactly(link, int.from_bytes(head, "big"))


def _receive_exactly(link: socket.socket, count: int) -> bytes | None:
    received = b""
    while len(received) < count:
        _acknowledge_at_once(link)
        chunk = link.recv(count - len(received))
        if not chunk:
            return None
        received += chunk
    return received


def _acknowledge_at_once(link: socket.socket) -> None:
    # Not sticky, and Linux only. Elsewhere there is no vpcd either.
    if sys.platform == "linux":
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
