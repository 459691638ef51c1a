"""A cursor over bytes whose every read is checked."""

from cardlib.errors import MalformedError


class Reader:
    """Reads big-endian fields off ``data``; ``what`` names the format in errors."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._at = 0
        self._what = what

    @property
    def remaining(self) -> int:
        """Bytes not yet read."""
        return len(self._data) - self._at

    def take(self, length: int) -> bytes:
        """The next ``length`` bytes; MalformedError when there are fewer."""
        if length < 0 or length > self.remaining:
            raise MalformedError(self._what, f"{length} bytes wanted, {self.remaining} left")
        start, self._at = self._at, self._at + length
        return self._data[start : self._at]

    def uint(self, length: int) -> int:
        """The next ``length`` bytes as an unsigned big-endian number."""
        return int.from_bytes(self.take(length), "big")

    def end(self) -> None:
        """MalformedError when bytes are left over."""
        if self.remaining:
            raise MalformedError(self._what, f"{self.remaining} bytes left over")
