"""What a decoded item may look like: small tests, put together to layout tables.

A layout maps the key of a field to its shape; :func:`misfit` compares a decoded
map with it. Unknown and missing fields do not fit.
"""

from collections.abc import Callable, Mapping

from backend.verifier.decoder.cbor import Item

Shape = Callable[[Item], bool]
Layout = Mapping[int, Shape]

U16 = 0xFFFF
U24 = 0xFFFFFF
U32 = 0xFFFFFFFF


def uint(most: int = 0xFFFFFFFFFFFFFFFF, least: int = 0) -> Shape:
    """A number from ``least`` to ``most``, both included."""
    return lambda item: (
        isinstance(item, int) and not isinstance(item, bool) and least <= item <= most
    )


def octets(size: int | None = None) -> Shape:
    """A byte string, of ``size`` bytes where given."""
    return lambda item: isinstance(item, bytes) and size in (None, len(item))


def text(*words: str) -> Shape:
    """Text, one of ``words`` where given."""
    return lambda item: isinstance(item, str) and (not words or item in words)


def flag(item: Item) -> bool:
    """True or false."""
    return isinstance(item, bool)


def nullable(shape: Shape) -> Shape:
    """``shape``, or null."""
    return lambda item: item is None or shape(item)


def row(*shapes: Shape) -> Shape:
    """An array with exactly these items."""
    return lambda item: (
        isinstance(item, list)
        and len(item) == len(shapes)
        and all(fits(part) for fits, part in zip(shapes, item, strict=True))
    )


def rows(shape: Shape) -> Shape:
    """An array of any number of ``shape``."""
    return lambda item: isinstance(item, list) and all(map(shape, item))


def misfit(fields: Mapping[int, Item], layout: Layout, optional: Layout) -> str | None:
    """Why ``fields`` do not have this layout; None when they do."""
    for key, shape in layout.items():
        if key not in fields:
            return f"field {key} is missing"
        if not shape(fields[key]):
            return f"field {key} is not what it should be"
    for key in fields.keys() - layout.keys():
        if key not in optional:
            return f"field {key} is unknown"
        if not optional[key](fields[key]):
            return f"field {key} is not what it should be"
    return None
