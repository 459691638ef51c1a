"""Command and response APDUs, both directions, short and extended.

Source: ISO/IEC 7816-3:2006, 12.1; ISO/IEC 7816-4:2020, 5.2 and 5.3.
"""

from dataclasses import dataclass, field
from typing import Self

from cardlib.codec.reader import Reader
from cardlib.errors import MalformedError

SHORT_LC_MAX = 255
SHORT_LE_MAX = 256
EXTENDED_MAX = 65535
CLA_SECURE = 0x0C
"""Secure messaging, command header authenticated (ISO/IEC 7816-4, table 2)."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command APDU; ``le`` is the number of bytes expected, None when none are."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = field(default=b"", repr=False)
    """Never shown: it may be a PIN. ``cardlib.trace`` shows commands, masked."""
    le: int | None = None

    def __post_init__(self) -> None:
        if not all(0 <= byte <= 0xFF for byte in (self.cla, self.ins, self.p1, self.p2)):
            raise MalformedError("command", "a header byte is not a byte")
        if len(self.data) > EXTENDED_MAX or not 0 <= (self.le or 0) <= EXTENDED_MAX + 1:
            raise MalformedError("command", "data or expected length too long")

    @property
    def header(self) -> bytes:
        """CLA INS P1 P2, four bytes: what a MAC covers."""
        return bytes((self.cla, self.ins, self.p1, self.p2))

    @property
    def is_extended(self) -> bool:
        """Whether lengths need the three-byte form."""
        return len(self.data) > SHORT_LC_MAX or (self.le or 0) > SHORT_LE_MAX

    def __bytes__(self) -> bytes:
        if self.is_extended:
            return self.header + self._extended_body()
        lc = bytes((len(self.data),)) if self.data else b""
        le = b"" if self.le is None else bytes((self.le & 0xFF,))
        return self.header + lc + self.data + le

    def _extended_body(self) -> bytes:
        body = b"\x00"
        if self.data:
            body += len(self.data).to_bytes(2, "big") + self.data
        if self.le is not None:
            body += (self.le & 0xFFFF).to_bytes(2, "big")
        return body

    @classmethod
    def decode(cls, apdu: bytes) -> Self:
        """Parses a command of any of the four cases; MalformedError for others."""
        reader = Reader(apdu, "command")
        cla, ins, p1, p2 = reader.take(4)
        if not reader.remaining:
            return cls(cla, ins, p1, p2)
        if apdu[4] == 0 and reader.remaining >= 3:
            data, le = _decode_extended(reader)
        else:
            data, le = _decode_short(reader)
        reader.end()
        return cls(cla, ins, p1, p2, data, le)


def _decode_short(reader: Reader) -> tuple[bytes, int | None]:
    first = reader.uint(1)
    if not reader.remaining:
        return b"", first or SHORT_LE_MAX
    data = reader.take(first)
    return data, (reader.uint(1) or SHORT_LE_MAX) if reader.remaining else None


def _decode_extended(reader: Reader) -> tuple[bytes, int | None]:
    reader.take(1)
    first = reader.uint(2)
    if not reader.remaining:
        return b"", first or EXTENDED_MAX + 1
    data = reader.take(first)
    return data, (reader.uint(2) or EXTENDED_MAX + 1) if reader.remaining else None


@dataclass(frozen=True, slots=True)
class Response:
    """A response APDU: ``data`` and the two status bytes as one number."""

    data: bytes
    status: int

    def __bytes__(self) -> bytes:
        return self.data + self.status.to_bytes(2, "big")

    @classmethod
    def decode(cls, apdu: bytes) -> Self:
        """Parses an answer; MalformedError when it is shorter than a status word."""
        if len(apdu) < 2:
            raise MalformedError("response", f"{len(apdu)} bytes")
        return cls(apdu[:-2], int.from_bytes(apdu[-2:], "big"))

    @property
    def ok(self) -> bool:
        """Whether the status word is 9000. Decides nothing about money (PROTOCOL 1.4)."""
        return self.status == 0x9000
