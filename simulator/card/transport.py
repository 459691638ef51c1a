"""The card's side of T=0: five bytes first, data in one direction only, answers fetched.

A TPDU is ``CLA INS P1 P2 P3`` and, when data goes to the card, P3 bytes of it
(ISO/IEC 7816-3:2006, 10.3 and 12.2). Below the commands, which know APDUs only, this

- runs a command that brought data, and announces what it answers with 61xx: GET RESPONSE
  fetches it, in pieces if the host likes, and any other command drops it;
- answers a command that asks for data with exactly P3 bytes (00: 256) or with 6Cxx, xx
  being what there is; the command is then given again. On such a card a file's end is
  6Cxx, and 6282 says only that there is nothing at all;
- refuses with 6700 what is no TPDU, an Le behind data among them.
"""

from collections.abc import Callable

from cardlib.codec.apdu import SHORT_LE_MAX, Response
from cardlib.codec.status import Status

_HEADER = 4
_GET_RESPONSE = 0xC0
_MORE, _WRONG_LE = 0x6100, 0x6C00
_ANY_LE = b"\x00"


class T0Link:
    """Makes APDUs of TPDUs for ``run``; remembers one answer that was not fetched yet."""

    def __init__(self, run: Callable[[bytes], Response]) -> None:
        self._run = run
        self._pending: Response | None = None

    def answer(self, tpdu: bytes) -> Response:
        """What goes back for one TPDU."""
        pending, self._pending = self._pending, None
        if len(tpdu) <= _HEADER:
            return self._malformed(tpdu)
        p3, data = tpdu[_HEADER], tpdu[_HEADER + 1 :]
        if tpdu[1] == _GET_RESPONSE and not tpdu[0] and not data:
            return self._fetch(pending, p3 or SHORT_LE_MAX)
        if not data:
            return _exactly(self._run(tpdu), p3 or SHORT_LE_MAX)
        if len(data) != p3:
            return self._malformed(tpdu)
        return self._announced(self._run(tpdu + _ANY_LE))

    def _malformed(self, tpdu: bytes) -> Response:
        # A secured write loses its challenge whatever is wrong with it: the commands see that.
        self._run(tpdu[:2])
        return Response(b"", Status.WRONG_LENGTH)

    def _announced(self, response: Response) -> Response:
        """61xx in place of an answer that has data; xx is 00 for 256 bytes and more."""
        if not response.data:
            return response
        self._pending = response
        return Response(b"", _MORE | _count(response.data))

    def _fetch(self, pending: Response | None, wanted: int) -> Response:
        if pending is None:
            return Response(b"", Status.CONDITIONS)
        available = len(pending.data)
        if wanted > available:
            self._pending = pending
            return Response(b"", _WRONG_LE | _count(pending.data))
        rest = pending.data[wanted:]
        if not rest:
            return pending
        self._pending = Response(rest, pending.status)
        return Response(pending.data[:wanted], _MORE | _count(rest))


def _exactly(response: Response, wanted: int) -> Response:
    """Data of just the length asked for, a status alone, or 6Cxx with the right length."""
    if not response.data or len(response.data) == wanted:
        return response
    return Response(b"", _WRONG_LE | _count(response.data))


def _count(data: bytes) -> int:
    """The low byte of 61xx and 6Cxx."""
    return len(data) if len(data) < SHORT_LE_MAX else 0
