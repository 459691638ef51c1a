"""The backend's ledger head: number and hash of its newest transfer.

The operator signs it into acknowledgements and statements, tills sign it into their day's
close, and people can copy it from paper: whoever rewrites the ledger contradicts them all.
"""

from dataclasses import dataclass
from typing import Self

from cardlib.wire.cbor import Value
from cardlib.wire.fields import as_bytes, as_list, as_uint

HASH_SIZE = 32
_GROUPS, _GROUP = 4, 4


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """Transfer number, 0 before the first, and SHA-256 that chains it (32 zero bytes then)."""

    transfer: int
    hash: bytes

    def value(self) -> Value:
        """As CBOR: ``[number, hash]``."""
        return [self.transfer, self.hash]

    @classmethod
    def read(cls, value: Value, what: str) -> Self:
        """From CBOR; MalformedError."""
        transfer, digest = as_list(value, what, 2)
        return cls(as_uint(transfer, what), as_bytes(digest, what, HASH_SIZE))

    @property
    def words(self) -> str:
        """For paper and telephone: the number, and the first 8 bytes in groups of four."""
        text = self.hash.hex().upper()
        groups = [text[at * _GROUP : (at + 1) * _GROUP] for at in range(_GROUPS)]
        return f"{self.transfer} {' '.join(groups)}"
