"""Canonical CBOR as the chip reads it: what would be written otherwise is not read at all.

The subset of docs/entry-format.md. The value is read leniently and written again; bytes
that come out differently were not the one form.
"""

from typing import TypeAlias

from simulator.module_card.refusals import Malformed

Item: TypeAlias = "int | bytes | str | bool | list[Item] | dict[int, Item] | None"

DEPTH_MAX = 8
_SIMPLE: dict[int, bool | None] = {20: False, 21: True, 22: None}


def loads(data: bytes) -> Item:
    """The value of ``data``; Malformed unless these bytes are its only form."""
    item, end = _item(data, 0, 0)
    if end != len(data) or dumps(item) != data:
        raise Malformed
    return item


def load_map(data: bytes) -> dict[int, Item]:
    """As :func:`loads`, for a document that is a map."""
    item = loads(data)
    if not isinstance(item, dict):
        raise Malformed
    return item


def dumps(item: Item) -> bytes:
    """The one form of ``item``."""
    if item is None or isinstance(item, bool):
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[item]
    if isinstance(item, int):
        return _start(0, item)
    if isinstance(item, bytes):
        return _start(2, len(item)) + item
    if isinstance(item, str):
        return _start(3, len(item.encode())) + item.encode()
    if isinstance(item, list):
        return _start(4, len(item)) + b"".join(dumps(one) for one in item)
    pairs = (dumps(key) + dumps(item[key]) for key in sorted(item))
    return _start(5, len(item)) + b"".join(pairs)


def number(item: Item, maximum: int) -> int:
    """``item`` where it is a number up to ``maximum``; Malformed otherwise."""
    if isinstance(item, bool) or not isinstance(item, int) or item > maximum:
        raise Malformed
    return item


def octets(item: Item, size: int | None = None) -> bytes:
    """``item`` where it is a byte string (of ``size``); Malformed otherwise."""
    if not isinstance(item, bytes) or (size is not None and len(item) != size):
        raise Malformed
    return item


def array(item: Item, size: int | None = None) -> list[Item]:
    """``item`` where it is an array (of ``size``); Malformed otherwise."""
    if not isinstance(item, list) or (size is not None and len(item) != size):
        raise Malformed
    return item


def _start(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes((major << 5 | argument,))
    width = next(width for width in (1, 2, 4, 8) if argument < 1 << 8 * width)
    info = {1: 24, 2: 25, 4: 26, 8: 27}[width]
    return bytes((major << 5 | info,)) + argument.to_bytes(width, "big")


def _item(data: bytes, at: int, depth: int) -> tuple[Item, int]:
    if depth > DEPTH_MAX:
        raise Malformed
    major, argument, at = _head(data, at)
    match major:
        case 0:
            return argument, at
        case 2 | 3:
            return _string(data, at, argument, text=major == 3)
        case 4 | 5 if argument <= len(data) - at:
            return (_array if major == 4 else _map)(data, at, argument, depth)
        case 7 if argument in _SIMPLE:
            return _SIMPLE[argument], at
        case _:
            raise Malformed


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    first = _cut(data, at, 1)[0]
    major, info = first >> 5, first & 0x1F
    if info < 24:
        return major, info, at + 1
    if info > 27:
        raise Malformed
    width = 1 << (info - 24)
    return major, int.from_bytes(_cut(data, at + 1, width), "big"), at + 1 + width


def _cut(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise Malformed
    return data[at : at + size]


def _string(data: bytes, at: int, size: int, *, text: bool) -> tuple[Item, int]:
    content = _cut(data, at, size)
    if not text:
        return content, at + size
    try:
        return content.decode(), at + size
    except UnicodeDecodeError:
        raise Malformed from None


def _array(data: bytes, at: int, count: int, depth: int) -> tuple[Item, int]:
    items: list[Item] = []
    for _ in range(count):
        item, at = _item(data, at, depth + 1)
        items.append(item)
    return items, at


def _map(data: bytes, at: int, count: int, depth: int) -> tuple[Item, int]:
    result: dict[int, Item] = {}
    for _ in range(count):
        key, at = _item(data, at, depth + 1)
        value, at = _item(data, at, depth + 1)
        if isinstance(key, bool) or not isinstance(key, int) or key in result:
            raise Malformed
        result[key] = value
    return result, at
