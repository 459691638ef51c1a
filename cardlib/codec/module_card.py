"""The commands of a module card, as bytes (docs/module-card.md is normative).

A module card is a security module on a chip: it signs entries, opens what purses
answer and builds the one UPDATE RECORD of a sale. Commands longer than 255 bytes are
chained (ISO/IEC 7816-4, 5.3.3: CLA bit 10 in every block but the last). Numbers are
big endian. Both sides of the line use this module and nothing else in common.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from cardlib.codec.apdu import SHORT_LC_MAX, SHORT_LE_MAX, Command
from cardlib.codec.purse import INFO_CORE_SIZE
from cardlib.codec.reader import Reader
from cardlib.errors import MalformedError

AID = b"\xf0BORSELLINO\x01"
"""A proprietary application identifier (ISO/IEC 7816-4, 8.2.1.2: category F, unregistered)."""
CLA = 0x80
CLA_CHAINED = 0x10
VERSION = 1
CHAIN_MAX = 16 * 1024
"""Bytes of one chained command: the longest journal entry has room."""

PIN_REFERENCE = 0x81
PIN_SIZE = 16
PIN_MIN = 6
CHALLENGE_SIZE = 8
LIMIT_SIZE = 4
OPEN_ANY, OPEN_LEGACY = 0, 1
"""P1 of OPEN."""
KEY_SIZE = 32
SIGNATURE_SIZE = 64
NOT_VALID, VALID, OTHER_SET = b"\x00", b"\x01", b"\x02"
"""First byte of an opened record: whether it decrypts; and the answer of CONFIRM.

OTHER_SET: it opened under another key set than the purse names.
"""
KEY_SET_SIZE = 4
KEY_SETS_MAX = 64


class Ins(IntEnum):
    """Instruction bytes under CLA 80; SELECT and the PIN commands are ISO's, under CLA 00."""

    GET_MODULE = 0x10
    SIGN = 0x12
    INSTALL = 0x14
    ORDER = 0x16
    STATE = 0x18
    TAKE_KEYS = 0x1A
    KEY_SETS = 0x1C
    SERVES = 0x20
    OPEN = 0x22
    OPEN_RECORD = 0x24
    INTENT = 0x26
    RECORD = 0x28
    UPDATE = 0x2A
    CONFIRM = 0x2C
    CHALLENGED = 0x32


INS_SELECT, INS_VERIFY, INS_CHANGE_PIN, INS_UNBLOCK = 0xA4, 0x20, 0x24, 0x2C


class Signed(IntEnum):
    """P1 of SIGN: what kind of document, so that none passes for another."""

    ENTRY = 1
    REQUEST = 2
    ENROLMENT = 3


class RecordKind(IntEnum):
    """P1 of OPEN RECORD."""

    SPEND_ANSWER = 1
    GRANT_ANSWER = 2
    SPEND_STORED = 3


class ModuleStatus(IntEnum):
    """Status words of a module card beyond ISO's common ones."""

    NOT_FRESH = 0x6985
    """No session, no valid newest record read in it, or its one UPDATE was given."""
    NOT_GENUINE = 0x6988
    """A MAC or a signature is bad, or somebody else's."""
    WRONG_DATA = 0x6A80
    """Not canonical, or not the kind of document asked for."""
    NO_INTENT = 0x6A83
    """Not the intent that the card remembers: give it again with INTENT."""
    NO_KEYS = 0x6A88
    """No keys for this purse."""
    OTHER_CARD = 0x9481
    """The intent is for another purse or another newest record."""
    PLAN_WRONG = 0x9482
    """The planned record does not follow from the verified one."""
    QUOTA_USED_UP = 0x9483
    """The number or the sum of debits would pass what the operator has allowed."""
    DEBIT_CEILING = 0x9484
    """One debit above the operator's ceiling."""
    NOT_ENROLLED = 0x9485
    """No operator has taken this module into service."""
    OTHER_OPERATOR = 0x9486
    """In service with another operator or another certificate."""
    ORDER_OLD = 0x9487
    """An order with a lower number than the newest one obeyed."""
    BEING_RENEWED = 0x9488
    """The purse answers, or its newest record opens, under another key set held here."""
    LEGACY_LIMIT = 0x9489
    """More than a chip that does not attest may pay in one sale, or such chips are not served."""


@dataclass(frozen=True, slots=True)
class ModuleDescription:
    """Answer of GET MODULE, 84 bytes: what anybody may know of a module.

    ``VERSION 1 ‖ PIN tries 1 ‖ public key 32 ‖ box key 32 ‖ terminal 3 ‖ operator kid 8 ‖
    order number 6 ‖ reserved 1``. Terminal 0 and a kid of zeros: not enrolled.
    """

    pin_tries: int
    public_key: bytes
    box_key: bytes
    terminal: int
    operator_kid: bytes
    order: int

    def __bytes__(self) -> bytes:
        head = bytes((VERSION, self.pin_tries)) + self.public_key + self.box_key
        tail = self.terminal.to_bytes(3, "big") + self.operator_kid
        return head + tail + self.order.to_bytes(6, "big") + bytes(1)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads 84 bytes; MalformedError for another version."""
        reader = Reader(data, "GET MODULE")
        if reader.uint(1) != VERSION:
            raise MalformedError("GET MODULE", "unknown version")
        found = cls(
            reader.uint(1), reader.take(KEY_SIZE), reader.take(KEY_SIZE), reader.uint(3),
            reader.take(8), reader.uint(6),
        )  # fmt: skip
        reader.take(1)
        reader.end()
        return found


def padded_pin(pin: str) -> bytes:
    """A module PIN as sent: 6 to 16 printable ASCII signs, padded with FF to 16 bytes.

    MalformedError for anything else.
    """
    if not (PIN_MIN <= len(pin) <= PIN_SIZE and pin.isascii() and pin.isprintable()):
        raise MalformedError("module PIN", f"{PIN_MIN} to {PIN_SIZE} signs wanted", "MODULE_PIN")
    return pin.encode("ascii").ljust(PIN_SIZE, b"\xff")


def select_module() -> Command:
    """SELECT by AID."""
    return Command(0x00, INS_SELECT, 0x04, 0x0C, AID)


def verify(pin: bytes) -> Command:
    """VERIFY with a padded PIN."""
    return Command(0x00, INS_VERIFY, 0x00, PIN_REFERENCE, pin)


def change_pin(old: bytes, new: bytes) -> Command:
    """CHANGE REFERENCE DATA with two padded PINs."""
    return Command(0x00, INS_CHANGE_PIN, 0x00, PIN_REFERENCE, old + new)


def unblock(puk: bytes, new: bytes) -> Command:
    """RESET RETRY COUNTER with the padded PUK and the new PIN."""
    return Command(0x00, INS_UNBLOCK, 0x00, PIN_REFERENCE, puk + new)


def command(ins: Ins, data: bytes = b"", p1: int = 0, p2: int = 0) -> tuple[Command, ...]:
    """A command of the module, in as many chained blocks as its data need."""
    blocks = [data[at : at + SHORT_LC_MAX] for at in range(0, len(data), SHORT_LC_MAX)] or [b""]
    chained = [Command(CLA | CLA_CHAINED, ins, p1, p2, block) for block in blocks[:-1]]
    return (*chained, Command(CLA, ins, p1, p2, blocks[-1], SHORT_LE_MAX))


def open_legacy(info_core: bytes, limit_cents: int) -> tuple[Command, ...]:
    """OPEN with P1 01: ``INFO core 16 ‖ limit 4`` in cents; the challenge comes with CHALLENGED."""
    return command(Ins.OPEN, info_core + limit_cents.to_bytes(4, "big"), OPEN_LEGACY)


def open_session(info_core: bytes, challenge: bytes) -> tuple[Command, ...]:
    """OPEN: ``INFO core 16 ‖ challenge 8`` in, the host random 8 out."""
    if len(info_core) != INFO_CORE_SIZE or len(challenge) != CHALLENGE_SIZE:
        raise MalformedError("OPEN", "INFO core or challenge of the wrong length")
    return command(Ins.OPEN, info_core + challenge)
