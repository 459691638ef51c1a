"""The reader's side of vpcd's protocol: listens, and asks a card that connects."""

import socket
from types import TracebackType
from typing import Self

OFF, ON, RESET, ATR = b"\x00", b"\x01", b"\x02", b"\x04"
PATIENCE_S = 30


class ReaderStandIn:
    """One slot; ``accept`` waits for a card, the rest talks to it."""

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self._listener.settimeout(PATIENCE_S)
        self._card: socket.socket | None = None

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._listener.getsockname()
        return host, port

    def accept(self) -> None:
        self.hang_up()
        self._card, _ = self._listener.accept()
        self._card.settimeout(PATIENCE_S)

    def control(self, code: bytes) -> None:
        """A control message; only :data:`ATR` is answered."""
        self._send(code)

    def ask(self, frame: bytes | str) -> bytes | None:
        """A frame and its reply; None when the card hung up instead."""
        self._send(bytes.fromhex(frame) if isinstance(frame, str) else frame)
        head = self._receive(2)
        return None if head is None else self._receive(int.from_bytes(head, "big"))

    def transmit(self, apdu: bytes) -> bytes:
        """As a card does, for :class:`tests.unit.simulator.host.Host`."""
        answer = self.ask(apdu)
        assert answer is not None
        return answer

    def is_hung_up(self) -> bool:
        """Waits for the card to hang up."""
        return self._receive(1) is None

    def hang_up(self) -> None:
        if self._card is not None:
            self._card.close()
            self._card = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.hang_up()
        self._listener.close()

    def _send(self, frame: bytes) -> None:
        assert self._card is not None
        # In two pieces, as the real one does.
        self._card.sendall(len(frame).to_bytes(2, "big"))
        self._card.sendall(frame)

    def _receive(self, count: int) -> bytes | None:
        assert self._card is not None
        received = b""
        while len(received) < count:
            try:
                chunk = self._card.recv(count - len(received))
            except ConnectionResetError:
                return None
            if not chunk:
                return None
            received += chunk
        return received
