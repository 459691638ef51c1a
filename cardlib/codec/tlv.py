"""BER-TLV data objects: definite lengths, tags of up to three bytes.

Cards are read leniently (a length may take more bytes than it needs);
:func:`decode_strict` refuses that, for data of our own making.
Source: ISO/IEC 7816-4:2020, 6.3; ISO/IEC 8825-1, 8.1.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cardlib.codec.reader import Reader
from cardlib.errors import MalformedError, NotCanonicalError


@dataclass(frozen=True, slots=True)
class Tlv:
    """One data object: ``tag`` as a number (0x81, 0x5F20), ``value`` as bytes."""

    tag: int
    value: bytes

    def __bytes__(self) -> bytes:
        return _encode_tag(self.tag) + _encode_length(len(self.value)) + self.value


def _encode_tag(tag: int) -> bytes:
    return tag.to_bytes(max(1, (tag.bit_length() + 7) // 8), "big")


def _encode_length(length: int) -> bytes:
    if length < 0x80:
        return bytes((length,))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def encode(objects: Iterable[Tlv]) -> bytes:
    """The objects one after the other."""
    return b"".join(bytes(item) for item in objects)


def _read_tag(reader: Reader) -> int:
    tag = reader.uint(1)
    if tag & 0x1F != 0x1F:
        return tag
    for _ in range(2):
        octet = reader.uint(1)
        tag = tag << 8 | octet
        if not octet & 0x80:
            return tag
    raise MalformedError("TLV", "tag longer than three bytes")


def _read_length(reader: Reader) -> int:
    first = reader.uint(1)
    if first < 0x80:
        return first
    if not 0x81 <= first <= 0x83:
        raise MalformedError("TLV", f"length form {first:02X}")
    return reader.uint(first & 0x7F)


def decode(data: bytes) -> list[Tlv]:
    """All objects of ``data``; MalformedError on a cut or open-ended one."""
    reader = Reader(data, "TLV")
    objects = []
    while reader.remaining:
        tag = _read_tag(reader)
        objects.append(Tlv(tag, reader.take(_read_length(reader))))
    return objects


def decode_strict(data: bytes) -> list[Tlv]:
    """As :func:`decode`, but NotCanonicalError unless lengths are in shortest form."""
    objects = decode(data)
    if encode(objects) != data:
        raise NotCanonicalError("TLV", "length not in shortest form")
    return objects


def find(objects: Iterable[Tlv], tag: int) -> bytes | None:
    """Value of the first object with ``tag``, or None."""
    return next((item.value for item in objects if item.tag == tag), None)
