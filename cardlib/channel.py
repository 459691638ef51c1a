"""The channel: sends commands over a connection, completes their answers, traces them.

Dialogues know nothing of T=0 and T=1: that is ``cardlib.transport``. What the tracer is
told is what goes over the interface.
"""

from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from cardlib.codec.apdu import Command, Response
from cardlib.connection import CardConnection
from cardlib.dialogues.volley import Dialogue, converse
from cardlib.errors import CardGoneError, PinPadError
from cardlib.pin_pad import PinPad, find_pin_pad
from cardlib.trace import Exchange
from cardlib.transport import Transport

T = TypeVar("T")
Tracer = Callable[[Exchange], None]


class Channel:
    """Carries dialogues over one card connection. Not for two threads at once."""

    def __init__(self, connection: CardConnection, tracer: Tracer | None = None) -> None:
        self._connection = connection
        self._tracer = tracer

    @property
    def atr(self) -> bytes:
        """The card's answer to reset."""
        return self._connection.atr

    def run(self, dialogue: Dialogue[T]) -> T:
        """Carries a dialogue to its end; raises what it raises, and CardGoneError."""
        return converse(dialogue, self.transmit)

    def transmit(self, apdu: bytes) -> bytes:
        """A command APDU and its completed answer, as bytes."""
        return bytes(self.send(Command.decode(apdu)))

    def send(self, command: Command) -> Response:
        """One command and its completed answer; errors as ``Transport.send``."""
        return self.transport.send(command, self._exchange)

    @cached_property
    def transport(self) -> Transport:
        """What this card can be sent, by its ATR and by what the reader negotiated."""
        told: int | None = getattr(self._connection, "protocol", None)
        return Transport.of_card(self._connection.atr, told)

    @cached_property
    def pin_pad(self) -> PinPad | None:
        """The reader's own keypad, None when it has none; the reader is asked once."""
        return find_pin_pad(self._connection)

    def fill_in(self, blank: Command) -> Response:
        """``blank`` with PINs that the customer types on the reader's keypad, and its answer.

        Errors as ``PinPad.fill_in``; PinPadError ``PIN_PAD_MISSING`` without a keypad.
        """
        if self.pin_pad is None:
            raise PinPadError("PIN_PAD_MISSING")
        try:
            answer = self.pin_pad.fill_in(blank)
        except CardGoneError:
            self._trace(bytes(blank), None)
            raise
        self._trace(bytes(blank), bytes(answer))
        return answer

    def reset(self) -> None:
        """Resets the card, so that no other program inherits the PIN state."""
        vars(self).pop("transport", None)  # whatever card answers now says anew what it takes
        self._connection.reset()

    def close(self) -> None:
        """Lets the card go."""
        self._connection.close()

    def _exchange(self, apdu: bytes) -> Response:
        try:
            answer = self._connection.transmit(apdu)
        except CardGoneError:
            self._trace(apdu, None)
            raise
        self._trace(apdu, answer)
        return Response.decode(answer)

    def _trace(self, apdu: bytes, answer: bytes | None) -> None:
        if self._tracer is not None:
            self._tracer(Exchange(apdu, answer))
