"""Checked access to the fields of a decoded map or array; what is left over is an error."""

from cardlib.errors import MalformedError
from cardlib.wire import cbor
from cardlib.wire.cbor import Value

U24_MAX = 0xFFFFFF
U64_MAX = 0xFFFFFFFFFFFFFFFF


def as_uint(value: Value, what: str, maximum: int = U64_MAX) -> int:
    """``value`` as a number from 0 to ``maximum``."""
    if isinstance(value, bool) or not isinstance(value, int) or value > maximum:
        raise MalformedError(what, f"a number up to {maximum} wanted")
    return value


def as_bytes(value: Value, what: str, size: int | None = None) -> bytes:
    """``value`` as a byte string, of ``size`` bytes where given."""
    if not isinstance(value, bytes) or (size is not None and len(value) != size):
        raise MalformedError(what, f"{size if size is not None else 'some'} bytes wanted")
    return value


def as_text(value: Value, what: str) -> str:
    """``value`` as text."""
    if not isinstance(value, str):
        raise MalformedError(what, "text wanted")
    return value


def as_bool(value: Value, what: str) -> bool:
    """``value`` as true or false."""
    if not isinstance(value, bool):
        raise MalformedError(what, "true or false wanted")
    return value


def as_list(value: Value, what: str, size: int | None = None) -> list[Value]:
    """``value`` as an array, of ``size`` items where given."""
    if not isinstance(value, list) or (size is not None and len(value) != size):
        raise MalformedError(what, f"an array of {size if size is not None else 'any'} wanted")
    return value


class Fields:
    """The fields of a map, taken one by one; :meth:`end` refuses unknown ones."""

    def __init__(self, data: dict[int, Value], what: str) -> None:
        self._left = dict(data)
        self._what = what

    @classmethod
    def decode(cls, data: bytes, what: str) -> "Fields":
        """Decodes canonical CBOR that must be a map."""
        value = cbor.decode(data)
        if not isinstance(value, dict):
            raise MalformedError(what, "a map wanted")
        return cls(value, what)

    def has(self, key: int) -> bool:
        """Whether ``key`` is there and not yet taken."""
        return key in self._left

    def take(self, key: int) -> Value:
        """The field; MalformedError when it is missing."""
        if key not in self._left:
            raise MalformedError(self._what, f"field {key} is missing")
        return self._left.pop(key)

    def uint(self, key: int, maximum: int = U64_MAX) -> int:
        """The field as a number."""
        return as_uint(self.take(key), f"{self._what} field {key}", maximum)

    def bytes(self, key: int, size: int | None = None) -> bytes:
        """The field as a byte string."""
        return as_bytes(self.take(key), f"{self._what} field {key}", size)

    def text(self, key: int) -> str:
        """The field as text."""
        return as_text(self.take(key), f"{self._what} field {key}")

    def bool(self, key: int) -> bool:
        """The field as true or false."""
        return as_bool(self.take(key), f"{self._what} field {key}")

    def list(self, key: int, size: int | None = None) -> list[Value]:
        """The field as an array."""
        return as_list(self.take(key), f"{self._what} field {key}", size)

    def end(self) -> None:
        """MalformedError when a field was not taken: unknown fields are refused."""
        if self._left:
            raise MalformedError(self._what, f"unknown field {min(self._left)}")
