"""Money: integer cents with their currency. No floats, no unlike sums."""

from dataclasses import dataclass
from typing import Self

EUR = "EUR"


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units (cents); may be negative where a rule says so."""

    cents: int
    currency: str = EUR

    def _checked(self, other: Self) -> int:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return other.cents

    def __add__(self, other: Self) -> Self:
        return type(self)(self.cents + self._checked(other), self.currency)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.cents - self._checked(other), self.currency)

    def __neg__(self) -> Self:
        return type(self)(-self.cents, self.currency)

    def __str__(self) -> str:
        sign = "-" if self.cents < 0 else ""
        return f"{sign}{abs(self.cents) // 100}.{abs(self.cents) % 100:02d} {self.currency}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """``12``, ``12.5``, ``12,50``: euro as people type them; ValueError otherwise."""
        whole, _, part = text.strip().replace(",", ".").partition(".")
        if not (whole.isascii() and whole.isdigit()) or len(part) > 2:
            raise ValueError(text)
        if part and not (part.isascii() and part.isdigit()):
            raise ValueError(text)
        return cls(int(whole) * 100 + int((part + "00")[:2]))


ZERO = Money(0)
