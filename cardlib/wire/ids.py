"""Identifiers that must not be mixed up."""

from dataclasses import dataclass
from typing import NewType, Self

from cardlib.errors import MalformedError

TerminalNumber = NewType("TerminalNumber", int)
"""One number an enrolment, u24."""
Seq = NewType("Seq", int)
"""Number of an entry in a terminal's journal, from 1, u24."""
TRAINING_ISSUER = bytes(3)


@dataclass(frozen=True, slots=True, order=True)
class PurseId:
    """A purse: the issuer (3 BCD bytes) and the random purse number (8 bytes)."""

    issuer: bytes
    number: bytes

    def __post_init__(self) -> None:
        if len(self.issuer) != 3 or len(self.number) != 8:
            raise MalformedError("purse id", "issuer of 3 and number of 8 bytes wanted")

    def __str__(self) -> str:
        return f"{self.issuer.hex()}-{self.number.hex()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads what ``str`` wrote."""
        issuer, _, number = text.partition("-")
        try:
            return cls(bytes.fromhex(issuer), bytes.fromhex(number))
        except ValueError as error:
            raise MalformedError("purse id", "not hexadecimal") from error
