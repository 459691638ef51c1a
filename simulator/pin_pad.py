"""A reader with a keypad, at the layer where drivers take control codes.

It decodes the structures of PC/SC part 10 by itself, fills in what a scripted *finger*
types, and sends the command to the card, as the firmware of such a reader does. The
virtual reader of pcscd has no keypad, so this is where one can be had.

::

    reader = KeypadReader(InProcessConnection(card), [types("54321"), CANCELS, types("12345")])
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cardlib.connection import CardConnection
from cardlib.errors import CardGoneError
from simulator.faults.shim import Shim

_GET_FEATURES = (0x42000D48, 0x00313520)
"""CM_IOCTL_GET_FEATURE_REQUEST, on Unix and on Windows."""
_VERIFY, _MODIFY, _PROPERTIES = 0x42330006, 0x42330007, 0x42330012
_FEATURES = struct.pack(">BBIBBIBBI", 6, 4, _VERIFY, 7, 4, _MODIFY, 0x12, 4, _PROPERTIES)
_TIMED_OUT, _CANCELLED, _DIFFER, _LENGTH, _REFUSED = (
    bytes.fromhex(status) for status in ("6400", "6401", "6402", "6403", "6B80")
)
_VERIFY_FIELDS = "<BBBBBBBBBHB3sI"
_MODIFY_FIELDS = "<BBBBBBBBBBBBHBBB3sI"


@dataclass(frozen=True, slots=True)
class Types:
    """Digits, one group a PIN asked for, each ended by the green key."""

    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gesture:
    """Something else than typing; ``answer`` is the reader's status word."""

    answer: bytes


CANCELS = Gesture(_CANCELLED)
"""The red key."""
WAITS = Gesture(_TIMED_OUT)
"""Nobody types."""
Act = Types | Gesture


def types(*groups: str) -> Types:
    """The digits of one PIN, or of old, new and new again."""
    return Types(groups)


@dataclass(frozen=True, slots=True)
class _Form:
    """How the reader was told to collect digits and place them."""

    digits_min: int
    digits_max: int
    offsets: tuple[int, ...]
    command: bytes


class KeypadReader(Shim):
    """Wraps a connection; ``finger`` acts once each time a PIN is asked.

    ``display``: lines and columns. A finger that has nothing more to do lets the reader
    wait in vain. ``digits``: the shortest and longest PIN that this reader takes.
    """

    def __init__(
        self,
        inner: CardConnection,
        finger: Iterable[Act] = (),
        *,
        display: tuple[int, int] = (2, 16),
        digits: tuple[int, int] = (4, 12),
    ) -> None:
        super().__init__(inner)
        self._finger: Iterator[Act] = iter(finger)
        self._display = display
        self._digits = digits
        self.asked = 0
        """How often a PIN was asked for."""
        self.languages: list[int] = []
        """What it was told to speak, each time."""

    def control(self, code: int, data: bytes) -> bytes:
        """What a driver's IFDHControl does; CardGoneError for a code it does not know."""
        if code in _GET_FEATURES:
            return _FEATURES
        if code == _PROPERTIES:
            return self._properties()
        if code == _VERIFY:
            return self._collect(_decode_verify(data))
        if code == _MODIFY:
            return self._collect(_decode_modify(data))
        raise CardGoneError

    def _properties(self) -> bytes:
        lines, columns = self._display
        shortest, longest = self._digits
        known = {1: bytes((columns, lines)), 2: b"\x07", 6: bytes((shortest,))}
        known |= {7: bytes((longest,)), 10: (261).to_bytes(4, "little")}
        return b"".join(bytes((tag, len(value))) + value for tag, value in known.items())

    def _collect(self, asked: tuple[_Form, int, int] | None) -> bytes:
        if asked is None:
            return _REFUSED
        form, groups_wanted, language = asked
        self.asked += 1
        self.languages.append(language)
        act = next(self._finger, WAITS)
        if isinstance(act, Gesture):
            return act.answer
        if any(not form.digits_min <= len(group) <= form.digits_max for group in act.groups):
            return _LENGTH
        if len(act.groups) != groups_wanted or act.groups[1:2] != act.groups[2:3]:
            return _DIFFER
        return self.inner.transmit(_filled(form, act.groups))


def _filled(form: _Form, groups: tuple[str, ...]) -> bytes:
    command = bytearray(form.command)
    for offset, group in zip(form.offsets, groups, strict=False):
        start = 5 + offset
        command[start : start + len(group)] = group.encode("ascii")
    return bytes(command)


def _decode_verify(data: bytes) -> tuple[_Form, int, int] | None:
    head = struct.calcsize(_VERIFY_FIELDS)
    if len(data) < head:
        return None
    (_, _, layout, block, length_format, longest, shortest, completion, _, language, _, _, size) = (
        struct.unpack(_VERIFY_FIELDS, data[:head])
    )
    command = data[head:]
    offset = _position(layout, block, length_format)
    if offset is None or not completion or len(command) != size:
        return None
    return _Form(shortest, longest, (offset,), command), 1, language


def _decode_modify(data: bytes) -> tuple[_Form, int, int] | None:
    head = struct.calcsize(_MODIFY_FIELDS)
    if len(data) < head:
        return None
    (_, _, layout, block, length_format, old, new, longest, shortest, confirm, completion,
     _, language, *_, size) = struct.unpack(_MODIFY_FIELDS, data[:head])  # fmt: skip
    command = data[head:]
    offset = _position(layout, block, length_format)
    if offset is None or not completion or confirm != 3 or len(command) != size:
        return None
    offsets = (offset + old, offset + new)
    return _Form(shortest, longest, offsets, command), 3, language


def _position(layout: int, block: int, length_format: int) -> int | None:
    """Where the PIN begins in the data, in bytes; None for forms this reader cannot do.

    It does ASCII (low bits 10), justified to the left (bit 2 clear), no length field.
    """
    in_bytes, position = layout & 0x80, layout >> 3 & 0x0F
    if layout & 0x07 != 0x02 or block >> 4 or length_format or not block & 0x0F:
        return None
    return position if in_bytes else position // 8
