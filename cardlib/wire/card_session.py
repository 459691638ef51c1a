"""Messages of a card session: a station relays volleys of commands to its card.

The backend sends the commands of one step; the station transmits them in order,
stops after the first whose status is not 9000, and sends the answers back.
Steps are idempotent on (session, step, hash of the answers) (PROTOCOL 6).
"""

from dataclasses import dataclass
from typing import Self

from cardlib.wire import cbor
from cardlib.wire.fields import Fields, as_bytes


@dataclass(frozen=True, slots=True)
class SessionOpening:
    """The station asks for work on the card that it holds.

    ``purpose``: ``load`` (what waits for the purse), ``void`` (proves that an order's grant
    cannot arrive any more), ``personalise``, ``renew`` (the purse's key set is changed; the
    station presents the citizen's PIN where a VERIFY without data stands), ``pin`` (a new PIN
    under the administration keys). ``reference``: for a load empty (the card says
    which purse) or the order's number, for a void the order's number, for a
    PIN reset who ordered it, for a personalisation the serial of the stock card, on a
    CRS optionally followed by ``/`` and the codice fiscale of the person whom the official
    has before him.
    """

    purpose: str
    reference: str

    def encode(self) -> bytes:
        """The request's body."""
        return cbor.encode({1: self.purpose, 2: self.reference})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads a body."""
        fields = Fields.decode(data, "card session")
        opening = cls(fields.text(1), fields.text(2))
        fields.end()
        return opening


@dataclass(frozen=True, slots=True)
class SessionAnswers:
    """The answers of ``step``, whole R-APDUs; fewer than commands when one was refused."""

    step: int
    answers: tuple[bytes, ...]

    def encode(self) -> bytes:
        """The request's body."""
        return cbor.encode({1: self.step, 2: list(self.answers)})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads a body."""
        fields = Fields.decode(data, "card session")
        message = cls(
            fields.uint(1, 0xFFFF),
            tuple(as_bytes(item, "card session") for item in fields.list(2)),
        )
        fields.end()
        return message


@dataclass(frozen=True, slots=True)
class SessionCommands:
    """The next step, or the end: no commands, and ``outcome`` says what was done.

    ``outcome`` is empty while the session runs; a code of the text catalogue at the end.
    ``cents`` is what the card gained, and ``purse`` its number once known.
    """

    session: str
    step: int
    commands: tuple[bytes, ...]
    outcome: str = ""
    cents: int = 0
    purse: str = ""

    @property
    def done(self) -> bool:
        """Whether the session is over."""
        return bool(self.outcome)

    def encode(self) -> bytes:
        """The response's body."""
        return cbor.encode(
            {
                1: self.session, 2: self.step, 3: list(self.commands), 4: self.outcome,
                5: self.cents, 6: self.purse,
            }
        )  # fmt: skip

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads a body."""
        fields = Fields.decode(data, "card session")
        message = cls(
            fields.text(1),
            fields.uint(2, 0xFFFF),
            tuple(as_bytes(item, "card session") for item in fields.list(3)),
            fields.text(4),
            fields.uint(5),
            fields.text(6),
        )
        fields.end()
        return message
