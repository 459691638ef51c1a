"""Which readers are meant: names are matched by patterns, since names come and go.

pcsc-lite ends a name with two numbers, of the reader and of its slot; a reader that is
plugged in again, or after another one, has others. So a pattern leaves them out.
"""

import re
from collections.abc import Iterable


def matches(pattern: str, name: str) -> bool:
    """Whether ``name`` is meant by ``pattern``; case does not matter.

    A pattern is a part of the name, or, with ``*`` (any characters) or ``?`` (one) in
    it, all of it. Brackets mean themselves: many readers have them in their names.
    The empty pattern means every reader.
    """
    wanted, folded = pattern.casefold(), name.casefold()
    if wanted in folded:
        return True
    if "*" not in wanted and "?" not in wanted:
        return False
    expression = "".join(_PARTS.get(sign, re.escape(sign)) for sign in wanted)
    return re.fullmatch(expression, folded, re.DOTALL) is not None


def meant(names: Iterable[str], pattern: str, besides: str = "") -> list[str]:
    """The names meant by ``pattern`` and not by ``besides``, in an order that stays the same.

    ``besides`` keeps the security module's slot from being taken for the customer's; the
    empty one means no reader.
    """
    return sorted(
        name
        for name in names
        if matches(pattern, name) and not (besides and matches(besides, name))
    )


_PARTS = {"*": ".*", "?": "."}
