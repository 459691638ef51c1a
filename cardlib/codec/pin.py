"""The purse PIN and PUK as the card wants them: ASCII digits, padded with FF to 8 bytes."""

import re

from cardlib.errors import PinError

PIN_BLOCK_SIZE = 8
_DIGITS = re.compile(r"[0-9]{5,8}")
_PADDING = b"\xff"


class Pin:
    """Five to eight digits, never printed; PinError ``PIN_FORMAT`` for anything else."""

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        if not _DIGITS.fullmatch(digits):
            raise PinError("PIN_FORMAT")
        self._digits = digits

    def __repr__(self) -> str:
        return "Pin(…)"

    @property
    def block(self) -> bytes:
        """The eight bytes of a VERIFY."""
        return self._digits.encode().ljust(PIN_BLOCK_SIZE, _PADDING)
