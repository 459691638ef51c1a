"""The answer to reset: what a card says of itself before the first command.

::

    TS T0 [TA1 TB1 TC1 TD1] [TA2 TB2 TC2 TD2] … T1 … TK [TCK]

The high half of T0 says which interface bytes of the first group follow, its low half is
K, the number of historical bytes; TDi does the same for the next group, and its low half
names a protocol. TCK, which makes the XOR of all bytes from T0 zero, is there unless T=0
is the only protocol named. Source: ISO/IEC 7816-3:2006, 8.2; historical bytes
ISO/IEC 7816-4:2020, 12.1.1 (compact-TLV).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from operator import xor
from typing import Self

from cardlib.codec.reader import Reader
from cardlib.errors import MalformedError

DIRECT, INVERSE = 0x3B, 0x3F
SIZE_MAX = 33
"""TS and 32 characters (ISO/IEC 7816-3, 8.2.1)."""
IFSC_DEFAULT = 32
"""Information field size of a T=1 card that names none (11.4.2)."""
_GLOBAL = 15
"""T=15 in a TD qualifies global interface bytes; it is no protocol."""
_CNS_HISTORICAL, _CNS_AT, _CNS_VERSION_AT = 15, 9, 12
_CNS = b"CNS"
CNS_1_1 = 0x11
_WITH_STATUS_AT_END, _ALL_COMPACT_TLV = 0x00, 0x80
_STATUS_SIZE = 3
_CAPABILITIES = 0x7


class TransmissionProtocol(IntEnum):
    """The two protocols of cards with contacts (ISO/IEC 7816-3, clauses 10 and 11)."""

    T0 = 0
    T1 = 1

    def __str__(self) -> str:
        return f"T={self.value}"


@dataclass(frozen=True, slots=True)
class InterfaceBytes:
    """One group TAi … TDi; None for a byte that is not there."""

    ta: int | None = None
    tb: int | None = None
    tc: int | None = None
    td: int | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Object 7x of the historical bytes (ISO/IEC 7816-4, tables 117 to 119)."""

    short_file_ids: bool
    """A file can be named in P1 or P2 of a read without selecting it."""
    command_chaining: bool = False
    extended_length: bool = False
    """Lc and Le may take three bytes."""


@dataclass(frozen=True, slots=True)
class Atr:
    """An answer to reset, taken apart; ``decode`` makes it."""

    raw: bytes
    groups: tuple[InterfaceBytes, ...]
    historical: bytes

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """MalformedError ``ATR_MALFORMED`` for whatever is no answer to reset."""
        try:
            return cls(raw, *_decode(raw))
        except MalformedError as error:
            raise MalformedError("ATR", str(error.facts["why"]), "ATR_MALFORMED") from error

    @property
    def protocols(self) -> tuple[int, ...]:
        """Numbers of the protocols offered, in the card's order; T=0 when none is named."""
        named = [number for number in _named(self.groups) if number != _GLOBAL]
        return tuple(dict.fromkeys(named)) or (TransmissionProtocol.T0,)

    @property
    def specific_mode(self) -> int | None:
        """The one protocol that TA2 fixes; None when the reader may choose (6.3.1)."""
        second = self.groups[1].ta if len(self.groups) > 1 else None
        return None if second is None else second & 0x0F

    @property
    def protocol(self) -> TransmissionProtocol:
        """What a reader that may choose takes: T=1 where it is offered, else T=0."""
        offered = self.protocols if self.specific_mode is None else (self.specific_mode,)
        t1 = TransmissionProtocol.T1
        return t1 if t1 in offered else TransmissionProtocol.T0

    @property
    def ifsc(self) -> int:
        """Bytes that the card takes in one T=1 block."""
        for before, group in zip(self.groups, self.groups[1:], strict=False):
            later = group is not self.groups[1]
            if later and before.td is not None and before.td & 0x0F == 1 and group.ta is not None:
                return group.ta
        return IFSC_DEFAULT

    @property
    def cns_version(self) -> int | None:
        """10 for CNS 1.0, 11 (hex) for 1.1; None when the card does not call itself CNS."""
        named = self.historical[_CNS_AT:_CNS_VERSION_AT] == _CNS
        if len(self.historical) != _CNS_HISTORICAL or not named:
            return None
        return self.historical[_CNS_VERSION_AT]

    @property
    def capabilities(self) -> Capabilities | None:
        """What object 7x says; None when there is none, or no rule to read it by."""
        value = next((item for tag, item in self._compact_tlv() if tag == _CAPABILITIES), b"")
        if not value:
            return None
        third = value[2] if len(value) > 2 else 0
        return Capabilities(bool(value[0] & 0x04), bool(third & 0x80), bool(third & 0x40))

    @property
    def extended_length(self) -> bool:
        """Whether the card says that it takes extended lengths: by object 7x, or as CNS 1.1."""
        stated = self.capabilities
        if stated is not None:
            return stated.extended_length
        return self.cns_version == CNS_1_1

    def _compact_tlv(self) -> list[tuple[int, bytes]]:
        """Tag (4 bits) and value of each object; nothing where the bytes are the maker's own."""
        body = self.historical[1:]
        category = self.historical[0] if self.historical else None
        candidates = {
            # CNS cards fill the three status bytes of category 00 with an object.
            _WITH_STATUS_AT_END: (body[:-_STATUS_SIZE], body),
            _ALL_COMPACT_TLV: (body,),
        }
        for objects in candidates.get(category, ()) if category is not None else ():
            try:
                return list(_objects(objects))
            except MalformedError:
                continue
        return []


def _decode(raw: bytes) -> tuple[tuple[InterfaceBytes, ...], bytes]:
    if len(raw) > SIZE_MAX:
        raise MalformedError("ATR", f"{len(raw)} bytes")
    reader = Reader(raw, "ATR")
    initial = reader.uint(1)
    if initial not in (DIRECT, INVERSE):
        raise MalformedError("ATR", f"it begins with {initial:02X}")
    follows = reader.uint(1)
    groups, count = [], follows & 0x0F
    while follows & 0xF0:
        groups.append(_group(reader, follows))
        follows = groups[-1].td or 0
    historical = reader.take(count)
    if any(number != TransmissionProtocol.T0 for number in _named(groups)):
        reader.take(1)
        if reduce(xor, raw[1:]):
            raise MalformedError("ATR", "its check byte is wrong")
    reader.end()
    return tuple(groups), historical


def _group(reader: Reader, follows: int) -> InterfaceBytes:
    present = [reader.uint(1) if follows & bit else None for bit in (0x10, 0x20, 0x40, 0x80)]
    return InterfaceBytes(*present)


def _named(groups: list[InterfaceBytes] | tuple[InterfaceBytes, ...]) -> list[int]:
    return [group.td & 0x0F for group in groups if group.td is not None]


def _objects(body: bytes) -> Iterator[tuple[int, bytes]]:
    reader = Reader(body, "historical bytes")
    while reader.remaining:
        head = reader.uint(1)
        yield head >> 4, reader.take(head & 0x0F)
