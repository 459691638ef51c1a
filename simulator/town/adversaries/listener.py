"""Wires on which an attacker hears what the chip truly answers to a debit."""

from collections.abc import Callable

from cardlib.codec.commands import INS_UPDATE_RECORD
from cardlib.connection import CardConnection
from simulator.faults import Shim


class Listener(Shim):
    """Passes everything on; each status word of an UPDATE RECORD is told, as four hex digits."""

    def __init__(self, inner: CardConnection, tell: Callable[[str], None]) -> None:
        super().__init__(inner)
        self._tell = tell

    def transmit(self, apdu: bytes) -> bytes:
        """The card's answer."""
        answer = self.inner.transmit(apdu)
        if apdu[1] == INS_UPDATE_RECORD:
            self._tell(answer[-2:].hex().upper())
        return answer
