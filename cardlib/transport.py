"""Below the dialogues: what one command APDU becomes on a T=0 or a T=1 card.

T=1 carries an APDU as it is. T=0 has no place for Le beside data, nor for a command
without a fifth byte (ISO/IEC 7816-3:2006, 12.2)::

    case 1   CLA INS P1 P2               -> CLA INS P1 P2 00
    case 2   CLA INS P1 P2 Le            -> the same; 6Cxx: again with Le = xx
    case 3   CLA INS P1 P2 Lc data       -> the same
    case 4   CLA INS P1 P2 Lc data Le    -> without Le; 61xx: GET RESPONSE with Le = xx

61xx and 6Cxx are completed on T=1 too: some readers show a card's T=0 habits. Rules:

- A command that carries data is never sent twice, whatever the card says: a write is made
  once. Its 6Cxx is an answer like any other.
- All is bounded. An answer that does not end, or is not as long as was announced or asked
  for, is a MalformedError with a code of its own.
- What the card cannot take is a MalformedError ``COMMAND_TOO_LONG`` before a byte is sent.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from cardlib.codec.apdu import Command, Response
from cardlib.codec.atr import Atr, TransmissionProtocol
from cardlib.errors import MalformedError

FOLLOW_UPS_MAX = 8
"""GET RESPONSE and repeated commands for one answer."""
_SHORT_LE_MAX = 256
_MORE, _WRONG_LE = 0x61, 0x6C

Exchange = Callable[[bytes], Response]
"""Sends bytes as the protocol wants them, and reads the answer."""


@dataclass(frozen=True, slots=True)
class Transport:
    """How one card is spoken to."""

    protocol: TransmissionProtocol = TransmissionProtocol.T1
    extended_length: bool = False

    @classmethod
    def of_card(cls, atr: bytes, told: int | None = None) -> Self:
        """From the answer to reset; ``told`` is what the reader negotiated, if it says so.

        An ATR that cannot be read names nothing: T=1, as the reader carries whole APDUs
        then, and short lengths.
        """
        try:
            card: Atr | None = Atr.decode(atr)
        except MalformedError:
            card = None
        if told in tuple(TransmissionProtocol):
            protocol = TransmissionProtocol(told)
        else:
            protocol = card.protocol if card else TransmissionProtocol.T1
        return cls(protocol, card is not None and card.extended_length)

    def send(self, command: Command, exchange: Exchange) -> Response:
        """The command and its completed answer.

        MalformedError ``COMMAND_TOO_LONG``, ``ANSWER_LENGTH`` or ``ANSWER_ENDLESS``, and
        what ``exchange`` raises.
        """
        self._require_fits(command)
        last, limit, data = command, command.le, b""
        response = exchange(self._encode(command))
        for _ in range(FOLLOW_UPS_MAX + 1):
            family, count = response.status >> 8, (response.status & 0xFF) or _SHORT_LE_MAX
            data += _within(response, last.le)
            if family == _WRONG_LE and not last.data:
                limit = count if last is command else limit
                last = replace(last, le=count)
            elif family == _MORE:
                last = _get_response(count)
            else:
                _require_total(data, limit)
                return Response(data, response.status)
            response = exchange(self._encode(last))
            _require_announced(response, family, count)
        raise MalformedError("answer", f"more than {FOLLOW_UPS_MAX} parts", "ANSWER_ENDLESS")

    def _encode(self, command: Command) -> bytes:
        if self.protocol is TransmissionProtocol.T1:
            return bytes(command)
        if command.data:
            return bytes(replace(command, le=None))
        return command.header + bytes(((command.le or 0) & 0xFF,))

    def _require_fits(self, command: Command) -> None:
        if command.is_extended and not self._takes_extended:
            raise MalformedError(
                "command", f"{len(command.data)} bytes, {command.le or 0} asked", "COMMAND_TOO_LONG"
            )

    @property
    def _takes_extended(self) -> bool:
        # T=0 has extended lengths by ENVELOPE only, which no profile of ours needs.
        return self.extended_length and self.protocol is TransmissionProtocol.T1


def _get_response(count: int) -> Command:
    return Command(0x00, 0xC0, 0x00, 0x00, le=count)


def _within(response: Response, asked: int | None) -> bytes:
    """The data of one part, which is no longer than was asked for."""
    _require_total(response.data, asked)
    return response.data


def _require_total(data: bytes, limit: int | None) -> None:
    if limit is not None and len(data) > limit:
        raise _wrong_length(f"{len(data)} bytes, {limit} asked")


def _require_announced(response: Response, family: int, count: int) -> None:
    """A part that 61xx or 6Cxx announced, and that was answered 9000, is exactly as long."""
    if response.ok and len(response.data) != count:
        raise _wrong_length(f"{len(response.data)} bytes, {count} announced by {family:02X}xx")


def _wrong_length(why: str) -> MalformedError:
    return MalformedError("answer", why, "ANSWER_LENGTH")
