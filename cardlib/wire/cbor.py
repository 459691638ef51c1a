"""The one canonical CBOR form of everything we sign (PROTOCOL 4).

A subset of RFC 8949: unsigned integers, byte strings, text, arrays, maps with
unsigned keys in ascending order, booleans and null; shortest forms, definite
lengths, depth at most 8. Everything else is refused, so that
``encode(decode(data)) == data`` for whatever is accepted.
"""

from typing import TypeAlias

from cardlib.codec.reader import Reader
from cardlib.errors import MalformedError, NotCanonicalError

Value: TypeAlias = "int | bytes | str | bool | list[Value] | dict[int, Value] | None"

DEPTH_MAX = 8
_UINT, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = 0, 2, 3, 4, 5, 6, 7
_FALSE, _TRUE, _NULL = 20, 21, 22
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}
_LEAST = {24: 24, 25: 1 << 8, 26: 1 << 16, 27: 1 << 32}
"""The least argument for which each longer head is the shortest form."""


def head(major: int, argument: int) -> bytes:
    """The head of an item, in shortest form (RFC 8949, 3)."""
    if argument < 24:
        return bytes((major << 5 | argument,))
    for info, width in _WIDTHS.items():
        if argument < 1 << 8 * width:
            return bytes((major << 5 | info,)) + argument.to_bytes(width, "big")
    raise MalformedError("CBOR", "number above 64 bits")


def encode(value: Value) -> bytes:
    """The canonical bytes of ``value``; MalformedError for a value outside the subset."""
    match value:
        case None:
            return head(_SIMPLE, _NULL)
        case bool():
            return head(_SIMPLE, _TRUE if value else _FALSE)
        case int() if value >= 0:
            return head(_UINT, value)
        case bytes():
            return head(_BYTES, len(value)) + value
        case str():
            text = value.encode()
            return head(_TEXT, len(text)) + text
        case list():
            return head(_ARRAY, len(value)) + b"".join(encode(item) for item in value)
        case dict():
            pairs = (encode(key) + encode(value[key]) for key in sorted(value))
            return head(_MAP, len(value)) + b"".join(pairs)
    raise MalformedError("CBOR", f"{type(value).__name__} is not allowed")


def decode(data: bytes) -> Value:
    """The value; NotCanonicalError for any other form, MalformedError when cut."""
    value, end = _decode_item(bytes(data), 0, DEPTH_MAX)
    if end != len(data):
        raise NotCanonicalError("CBOR", "trailing bytes")
    return value


def read_head(reader: Reader) -> tuple[int, int]:
    """Major type and argument; NotCanonicalError unless in shortest form."""
    first = reader.uint(1)
    major, info = first >> 5, first & 0x1F
    if info < 24:
        return major, info
    if info not in _WIDTHS:
        raise NotCanonicalError("CBOR", "indefinite or reserved length")
    argument = reader.uint(_WIDTHS[info])
    if argument < _LEAST[info]:
        raise NotCanonicalError("CBOR", "not the shortest form")
    return major, argument


def _decode_item(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    """The item at ``at``, and where it ends. Works on positions: every entry passes here often."""
    if depth < 0:
        raise NotCanonicalError("CBOR", "nested too deep")
    major, argument, at = _head_at(data, at)
    if major == _UINT:
        return argument, at
    if major in (_BYTES, _TEXT):
        end = at + argument
        if end > len(data):
            raise MalformedError("CBOR", f"{argument} bytes wanted, {len(data) - at} left")
        octets = data[at:end]
        return (octets if major == _BYTES else _decode_text(octets)), end
    if major in (_ARRAY, _MAP):
        if argument > len(data) - at:
            raise MalformedError("CBOR", "more items than bytes")
        return (_decode_array if major == _ARRAY else _decode_map)(data, at, argument, depth - 1)
    if major == _SIMPLE and argument in (_FALSE, _TRUE, _NULL):
        return (None if argument == _NULL else argument == _TRUE), at
    raise NotCanonicalError("CBOR", f"type {major} is not allowed")


def _head_at(data: bytes, at: int) -> tuple[int, int, int]:
    """As :func:`read_head`, and where the head ends."""
    if at >= len(data):
        raise MalformedError("CBOR", "1 bytes wanted, 0 left")
    first = data[at]
    info = first & 0x1F
    if info < 24:
        return first >> 5, info, at + 1
    if info not in _WIDTHS:
        raise NotCanonicalError("CBOR", "indefinite or reserved length")
    end = at + 1 + _WIDTHS[info]
    if end > len(data):
        raise MalformedError("CBOR", f"{_WIDTHS[info]} bytes wanted, {len(data) - at - 1} left")
    argument = int.from_bytes(data[at + 1 : end], "big")
    if argument < _LEAST[info]:
        raise NotCanonicalError("CBOR", "not the shortest form")
    return first >> 5, argument, end


def _decode_text(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("CBOR", "text is not UTF-8") from error


def _decode_array(data: bytes, at: int, count: int, depth: int) -> tuple[list[Value], int]:
    items: list[Value] = []
    for _ in range(count):
        item, at = _decode_item(data, at, depth)
        items.append(item)
    return items, at


def _decode_map(data: bytes, at: int, count: int, depth: int) -> tuple[dict[int, Value], int]:
    result: dict[int, Value] = {}
    last = -1
    for _ in range(count):
        key, at = _decode_item(data, at, depth)
        if not isinstance(key, int) or isinstance(key, bool):
            raise NotCanonicalError("CBOR", "map key is not a number")
        if key <= last:
            raise NotCanonicalError("CBOR", "map keys are not ascending")
        result[key], at = _decode_item(data, at, depth)
        last = key
    return result, at
