"""Understands a series of exchanges: what is selected, which randoms hold, whose MACs are good.

With T=0, GET RESPONSE is told as the answer to the command that it completes.
"""

from cardlib.codec.apdu import Command, Response
from cardlib.codec.status import Status, status_name
from cardlib.errors import MalformedError
from cardlib.trace.details import Decoded, Detail
from cardlib.trace.exchange import Exchange
from cardlib.trace.instructions import Details, tell
from cardlib.trace.keyring import Keyring, no_keys
from cardlib.trace.session import TraceSession

_GET_RESPONSE = 0xC0
_MORE = 0x61


class Conversation:
    """Decodes one exchange after the other, in order."""

    def __init__(self, keyring: Keyring = no_keys) -> None:
        self._session = TraceSession(keyring)
        self._unfinished: tuple[Command, bytes] | None = None

    def reset(self) -> None:
        """The card has lost power: nothing is selected, no random holds."""
        self._session.enter(None)
        self._unfinished = None

    def decode(self, exchange: Exchange) -> Decoded:
        """What the exchange means; never raises, whatever the bytes are."""
        response = exchange.response
        if response is None:
            return Decoded(exchange, (Detail("no_answer"),))
        try:
            command = Command.decode(exchange.command)
        except MalformedError:
            return Decoded(exchange, _status(response))
        return Decoded(exchange, self._told(command, response))

    def _told(self, command: Command, response: Response) -> Details:
        if command.ins == _GET_RESPONSE and self._unfinished is not None:
            command, data = self._unfinished
            response = Response(data + response.data, response.status)
        if response.status >> 8 == _MORE:
            self._unfinished = command, response.data
            return (Detail("more", {"count": response.status & 0xFF or 256}),)
        self._unfinished = None
        return tell(self._session, command, response) + _status(response)


def _status(response: Response) -> Details:
    if response.status == Status.OK:
        return ()
    status, name = f"{response.status:04X}", status_name(response.status)
    if name == status:
        return (Detail("status_other", {"status": status}),)
    return (Detail("status", {"status": status, "word": name}),)
