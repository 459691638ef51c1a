"""What a module card adds for applet cards: two commands, and two answers of another shape.

OPEN APPLET ``802E 0000`` begins a conversation and answers its random (8), which goes out with
INITIALISE. OPEN STATE ``8030 0000`` takes the data of the purse's answer and says ``record 54 ‖
state in clear``. After it UPDATE answers ``type 1 ‖ slot mask 1 ‖ record 54 ‖ data of DEBIT``, and
CONFIRM takes the 16 bytes that DEBIT was answered with (docs/module-card.md).
"""

from dataclasses import dataclass
from typing import Self

from cardlib.codec.apdu import SHORT_LE_MAX, Command
from cardlib.codec.applet import CLA, DEBIT_ANSWER_SIZE, INS_DEBIT, AppletState
from cardlib.codec.purse import SPEND_RECORD_SIZE
from cardlib.codec.reader import Reader

CLA_MODULE, INS_OPEN_APPLET, INS_OPEN_STATE = 0x80, 0x2E, 0x30


def open_applet() -> tuple[Command, ...]:
    """Begins a conversation with an applet card."""
    return (Command(CLA_MODULE, INS_OPEN_APPLET, 0, 0, le=SHORT_LE_MAX),)


def open_state(answer: bytes) -> tuple[Command, ...]:
    """Has the data of INITIALISE's answer verified and deciphered."""
    return (Command(CLA_MODULE, INS_OPEN_STATE, 0, 0, answer, SHORT_LE_MAX),)


@dataclass(frozen=True, slots=True)
class OpenedState:
    """Answer of OPEN STATE: the newest record at rest, and the purse's state."""

    record: bytes
    state: AppletState

    def __bytes__(self) -> bytes:
        return self.record + bytes(self.state)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """MalformedError for another shape."""
        reader = Reader(data, "OPEN STATE")
        record = reader.take(SPEND_RECORD_SIZE)
        return cls(record, AppletState.decode(reader.take(reader.remaining)))


@dataclass(frozen=True, slots=True)
class BuiltDebit:
    """Answer of UPDATE in such a conversation: the DEBIT, and the record that it makes."""

    type: int
    mask: int
    record: bytes
    data: bytes

    def __bytes__(self) -> bytes:
        return bytes((self.type, self.mask)) + self.record + self.data

    @property
    def command(self) -> Command:
        """For the purse."""
        return Command(CLA, INS_DEBIT, self.type, self.mask, self.data, DEBIT_ANSWER_SIZE)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """MalformedError for another shape."""
        reader = Reader(data, "UPDATE")
        kind, mask, record = reader.uint(1), reader.uint(1), reader.take(SPEND_RECORD_SIZE)
        return cls(kind, mask, record, reader.take(reader.remaining))
