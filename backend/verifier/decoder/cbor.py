"""CBOR (RFC 8949) for judging: whatever is not in its one form is refused.

The way differs from the product's decoder on purpose. This one reads any
definite-length item of the permitted types, writes it again in the one form of
docs/entry-format.md, and compares: a longer head, an unsorted or a doubled key
come out as other bytes.
"""

from typing import TypeAlias

Item: TypeAlias = "int | bytes | str | bool | list[Item] | dict[int, Item] | None"

DEPTH_MAX = 8
ARGUMENT_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}


class NotOneForm(ValueError):  # noqa: N818 - reads as a verdict where it is raised
    """The bytes are not canonical CBOR of the permitted types; the text says why."""


def loads(data: bytes) -> Item:
    """The value of ``data``; NotOneForm unless these bytes are its only form."""
    item, end = _item(data, 0, 0)
    if end != len(data):
        raise NotOneForm("trailing bytes")
    if dumps(item) != data:
        raise NotOneForm("not the shortest, sorted form")
    return item


def dumps(item: Item) -> bytes:
    """The one form of ``item``."""
    if item is None:
        return b"\xf6"
    if isinstance(item, bool):
        return b"\xf5" if item else b"\xf4"
    if isinstance(item, int):
        return start(0, item)
    if isinstance(item, bytes):
        return start(2, len(item)) + item
    if isinstance(item, str):
        return start(3, len(item.encode())) + item.encode()
    if isinstance(item, list):
        return start(4, len(item)) + b"".join(map(dumps, item))
    return start(5, len(item)) + b"".join(dumps(key) + dumps(item[key]) for key in sorted(item))


def start(major: int, argument: int) -> bytes:
    """The first byte and the argument of an item, as short as they can be."""
    if argument <= 23:
        return bytes([major * 32 + argument])
    size = next(size for size in (1, 2, 4, 8) if argument < 256**size)
    info = {1: 24, 2: 25, 4: 26, 8: 27}[size]
    return bytes([major * 32 + info]) + argument.to_bytes(size, "big")


def _item(data: bytes, at: int, depth: int) -> tuple[Item, int]:
    if depth > DEPTH_MAX:
        raise NotOneForm("nested too deep")
    major, argument, at = _start(data, at)
    if major == 0:
        return argument, at
    if major in (2, 3):
        return _string(data, at, argument, text=major == 3)
    if major in (4, 5) and argument > len(data) - at:
        raise NotOneForm("more items than bytes")
    if major == 4:
        return _array(data, at, argument, depth)
    if major == 5:
        return _map(data, at, argument, depth)
    if major == 7 and argument in (20, 21, 22):
        return {20: False, 21: True, 22: None}[argument], at
    raise NotOneForm(f"major type {major} is not permitted")


def _start(data: bytes, at: int) -> tuple[int, int, int]:
    first = _slice(data, at, 1)[0]
    major, info = divmod(first, 32)
    if info <= 23:
        return major, info, at + 1
    if info not in ARGUMENT_SIZES:
        raise NotOneForm("indefinite or reserved length")
    size = ARGUMENT_SIZES[info]
    return major, int.from_bytes(_slice(data, at + 1, size), "big"), at + 1 + size


def _string(data: bytes, at: int, size: int, *, text: bool) -> tuple[Item, int]:
    octets = _slice(data, at, size)
    if not text:
        return octets, at + size
    try:
        return octets.decode("utf-8"), at + size
    except UnicodeDecodeError as error:
        raise NotOneForm("text is not UTF-8") from error


def _array(data: bytes, at: int, count: int, depth: int) -> tuple[list[Item], int]:
    items: list[Item] = []
    for _ in range(count):
        item, at = _item(data, at, depth + 1)
        items.append(item)
    return items, at


def _map(data: bytes, at: int, count: int, depth: int) -> tuple[dict[int, Item], int]:
    pairs: dict[int, Item] = {}
    for _ in range(count):
        key, at = _item(data, at, depth + 1)
        if not isinstance(key, int) or isinstance(key, bool):
            raise NotOneForm("a map key is not a number")
        pairs[key], at = _item(data, at, depth + 1)
    return pairs, at


def _slice(data: bytes, at: int, size: int) -> bytes:
    part = data[at : at + size]
    if len(part) != size:
        raise NotOneForm("cut short")
    return part
