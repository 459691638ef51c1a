"""Access conditions, PIN objects and key references (cns-card tag 86; PROTOCOL 2).

One byte an operation: 00 always, FF never, else the id of a PIN that must be
verified, or of a key whose MAC secure messaging must carry. Byte 1 is READ,
byte 2 UPDATE. On purse files the answer to a write is under the key after the one
that the command's MAC is under (02 and 03, 05 and 06, 07 and 08).
"""

from dataclasses import dataclass

ALWAYS, NEVER = 0x00, 0xFF
ACCESS_SIZE = 9
PIN_SIZE = 8
PIN_DIGITS_MIN = 5


@dataclass(frozen=True, slots=True)
class Access:
    """The nine access bytes of a file or directory."""

    conditions: bytes

    @property
    def read(self) -> int:
        """Condition of READ BINARY and READ RECORD."""
        return self.conditions[0]

    @property
    def update(self) -> int:
        """Condition of UPDATE BINARY and UPDATE RECORD."""
        return self.conditions[1]


FREE = Access(bytes(ACCESS_SIZE))
READ_ONLY = Access(bytes((ALWAYS,)) + bytes((NEVER,)) * (ACCESS_SIZE - 1))


@dataclass(slots=True)
class Pin:
    """A PIN or PUK: eight bytes, compared as they are.

    ``unblocked_by`` is the id of the PUK beside it, None for a PUK, which cannot be
    changed or unblocked.
    """

    value: bytes
    tries_max: int
    tries_left: int
    unblocked_by: int | None = None

    @classmethod
    def fresh(cls, value: bytes, tries: int, unblocked_by: int | None = None) -> "Pin":
        """A PIN with all its tries."""
        return cls(value, tries, tries, unblocked_by)

    @property
    def blocked(self) -> bool:
        """Whether no try is left."""
        return not self.tries_left

    def replace(self, value: bytes) -> None:
        """Sets a new value and gives back all tries."""
        self.value, self.tries_left = value, self.tries_max


def is_pin(value: bytes, digits_min: int = PIN_DIGITS_MIN) -> bool:
    """Whether ``value`` is ``digits_min`` to 8 ASCII digits, padded with FF to 8 bytes."""
    digits = value.rstrip(b"\xff")
    plain = all(0x30 <= digit <= 0x39 for digit in digits)
    return len(value) == PIN_SIZE and len(digits) >= digits_min and plain
