"""Command chaining: data too long for one short command comes in several.

Every part but the last has bit 5 of CLA set and the same INS, P1 and P2; parts are answered
9000 and the last one as the whole command (ISO/IEC 7816-4:2020, 5.3.3). Another command in
between is 6883 and ends the chain. OpenSC 0.23 signs so with the 2048-bit key of a CNS 1.1.
"""

from dataclasses import replace

from cardlib.codec.apdu import Command
from simulator.card.refusal import Refusal

CHAIN_BIT = 0x10
_OTHER_CLASSES = 0xEC
"""Bits of proprietary classes, secure messaging and further channels: none of them chains."""
_LAST_EXPECTED = 0x6883
_TOO_LONG = 0x6700
BUFFER_SIZE = 512


def is_part(command: Command) -> bool:
    """Whether more of the same command is to come."""
    return command.cla & CHAIN_BIT != 0 and not command.cla & _OTHER_CLASSES


class Chain:
    """The parts received so far."""

    def __init__(self) -> None:
        self._header: bytes | None = None
        self._data = b""

    def take(self, command: Command) -> Command | None:
        """The whole command once its last part is there, None before; refuses what breaks in."""
        begun, before = self._header, self._data
        self._header, self._data = None, b""
        more = is_part(command)
        if begun is None and not more:
            return command
        header = bytes((command.cla & ~CHAIN_BIT, command.ins, command.p1, command.p2))
        if begun not in (None, header):
            raise Refusal(_LAST_EXPECTED)
        data = before + command.data
        if len(data) > BUFFER_SIZE:
            raise Refusal(_TOO_LONG)
        if not more:
            return replace(command, data=data)
        self._header, self._data = header, data
        return None
