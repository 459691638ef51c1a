"""Readers with a keypad of their own: what goes over SCardControl, as bytes.

The reader puts the digits that it collects into a command that we hand over without
them, sends it to the card and gives us the status word. No digit comes back.
Sources: PC/SC part 10 (IFDs with secure PIN entry capabilities), revision 2.02.09,
2.1 to 2.6; USB CCID 1.1, 6.1.11 (PIN verification and modification); the same
structures stand in pcsc-lite's ``reader.h``. Numbers in them are little endian, but the
control codes in the list of features, which are big endian.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from cardlib.codec.apdu import Command
from cardlib.codec.files import PinReference
from cardlib.codec.pin import PIN_BLOCK_SIZE
from cardlib.codec.reader import Reader
from cardlib.errors import MalformedError

GET_FEATURES = 3400
"""CM_IOCTL_GET_FEATURE_REQUEST, before :func:`control_code` makes it a code."""
DIGITS_MIN, DIGITS_MAX = 5, 8
TIMEOUT_S, TIMEOUT_NEXT_S = 30, 20
"""How long a reader waits for the first digit, and for the others."""

_WINDOWS_DEVICE, _UNIX_BASE = 0x31, 0x42000000
_FORMAT = 0x82
"""Positions in bytes (80); the PIN begins at byte 0 of the data, to the left, in ASCII (02)."""
_NO_LENGTH_FIELD = 0x00
_ONE_MESSAGE, _THREE_MESSAGES, _SILENT = 0x01, 0x03, 0x00
_OLD_AND_CONFIRM = 0x03
"""The present PIN is asked for (02), and the new one twice (01)."""
_TEO_PROLOGUE = bytes(3)
_BLANK = b"\xff" * PIN_BLOCK_SIZE


class Feature(IntEnum):
    """What a reader may offer beyond plain commands (part 10, 2.3)."""

    VERIFY_PIN_DIRECT = 0x06
    MODIFY_PIN_DIRECT = 0x07
    IFD_PIN_PROPERTIES = 0x0A
    TLV_PROPERTIES = 0x12


class Language(IntEnum):
    """Windows language identifiers: what a reader with a display speaks."""

    ITALIAN = 0x0410
    ENGLISH = 0x0409


class Completion(IntFlag):
    """When a reader takes the PIN for complete (bEntryValidationCondition)."""

    MAX_DIGITS = 0x01
    KEY_PRESSED = 0x02
    TIMEOUT = 0x04


class PadStatus(IntEnum):
    """Status words of the reader itself: the card was not asked (part 10, 2.5.2)."""

    TIMEOUT = 0x6400
    CANCELLED = 0x6401
    NEW_PINS_DIFFER = 0x6402
    WRONG_LENGTH = 0x6403
    STRUCTURE_REFUSED = 0x6B80


@dataclass(frozen=True, slots=True)
class PadProperties:
    """What a reader says of itself; None where it says nothing.

    ``lines`` and ``columns`` of its display, both 0 for none; ``completion`` conditions it
    knows; shortest and longest PIN it takes; ``apdu_data_max``: longest APDU in bytes.
    """

    columns: int | None = None
    lines: int | None = None
    completion: Completion | None = None
    digits_min: int | None = None
    digits_max: int | None = None
    apdu_data_max: int | None = None

    @property
    def takes_all_pins(self) -> bool:
        """Whether every PIN of 5 to 8 digits can be typed on it."""
        return (self.digits_min or 0) <= DIGITS_MIN and (self.digits_max or 0xFF) >= DIGITS_MAX

    @property
    def has_display(self) -> bool:
        """Whether it can prompt; a reader that does not say is asked to."""
        return self.lines is None or bool(self.lines)


def control_code(number: int, *, windows: bool) -> int:
    """SCARD_CTL_CODE: CTL_CODE(31, number, 0, 0) on Windows, 42000000 + number elsewhere."""
    return _WINDOWS_DEVICE << 16 | number << 2 if windows else _UNIX_BASE + number


def decode_features(answer: bytes) -> Mapping[int, int]:
    """Control code by feature, from triples of tag, length 4 and code; MalformedError."""
    reader, features = Reader(answer, "reader features"), {}
    while reader.remaining:
        tag, length = reader.uint(1), reader.uint(1)
        if length != 4:
            raise MalformedError("reader features", f"length {length}")
        features[tag] = reader.uint(4)
    return features


def decode_pin_properties(answer: bytes) -> PadProperties:
    """Answer of IFD_PIN_PROPERTIES: display layout 2, completion 1, timeouts 1."""
    reader = Reader(answer, "PIN properties")
    columns, lines, completion, _ = reader.take(4)
    reader.end()
    return PadProperties(columns, lines, Completion(completion & 0x07))


def decode_tlv_properties(answer: bytes) -> PadProperties:
    """Answer of TLV_PROPERTIES: tag, length, little-endian number each; others are skipped."""
    reader, found = Reader(answer, "reader properties"), dict[int, int]()
    while reader.remaining:
        tag, length = reader.uint(1), reader.uint(1)
        found[tag] = int.from_bytes(reader.take(length), "little")
    layout, completion = found.get(0x01), found.get(0x02)
    return PadProperties(
        columns=None if layout is None else layout & 0xFF,
        lines=None if layout is None else layout >> 8,
        completion=None if completion is None else Completion(completion & 0x07),
        digits_min=found.get(0x06),
        digits_max=found.get(0x07),
        apdu_data_max=found.get(0x0A),
    )


def verify_blank(reference: int = PinReference.PURSE_PIN) -> Command:
    """VERIFY of a PIN that the reader will fill in: FF where its digits go."""
    return Command(0x00, 0x20, 0x00, reference, _BLANK)


def change_blank(reference: int = PinReference.PURSE_PIN) -> Command:
    """CHANGE REFERENCE DATA, old and new PIN both filled in by the reader."""
    return Command(0x00, 0x24, 0x00, reference, _BLANK + _BLANK)


def verify_structure(
    command: Command, language: Language, properties: PadProperties | None = None
) -> bytes:
    """PIN_VERIFY_STRUCTURE around a :func:`verify_blank`: 19 bytes, then the command.

    Offsets: 0 timeout, 1 timeout after the first key, 2 format, 3 PIN block, 4 length
    format, 5 longest and shortest PIN, 7 completion, 8 messages, 9 language, 11 message,
    12 T=1 prologue, 15 length of the command.
    """
    known = properties or PadProperties()
    messages = _ONE_MESSAGE if known.has_display else _SILENT
    return (
        bytes((TIMEOUT_S, TIMEOUT_NEXT_S, _FORMAT, PIN_BLOCK_SIZE, _NO_LENGTH_FIELD))
        + bytes((DIGITS_MAX, DIGITS_MIN, _completion(known), messages))
        + language.to_bytes(2, "little")
        + bytes(1)
        + _command(command)
    )


def modify_structure(
    command: Command, language: Language, properties: PadProperties | None = None
) -> bytes:
    """PIN_MODIFY_STRUCTURE around a :func:`change_blank`: 24 bytes, then the command.

    As :func:`verify_structure`, with 5 offset of the old PIN, 6 of the new, 7 longest and
    shortest, 9 confirmation, 10 completion, 11 messages, 12 language, 14 three messages,
    17 prologue, 20 length.
    """
    known = properties or PadProperties()
    messages = _THREE_MESSAGES if known.has_display else _SILENT
    return (
        bytes((TIMEOUT_S, TIMEOUT_NEXT_S, _FORMAT, PIN_BLOCK_SIZE, _NO_LENGTH_FIELD))
        + bytes((0, PIN_BLOCK_SIZE))
        + bytes((DIGITS_MAX, DIGITS_MIN, _OLD_AND_CONFIRM, _completion(known), messages))
        + language.to_bytes(2, "little")
        + bytes((0, 1, 2))
        + _command(command)
    )


def _completion(properties: PadProperties) -> int:
    """The key, for PINs have no fixed length; what the reader knows where it has no such key."""
    known = properties.completion
    return int(known if known and Completion.KEY_PRESSED not in known else Completion.KEY_PRESSED)


def _command(command: Command) -> bytes:
    apdu = bytes(command)
    return _TEO_PROLOGUE + len(apdu).to_bytes(4, "little") + apdu
