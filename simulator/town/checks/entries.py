"""A decoder of journal entries for the checks: cbor2 and cryptography, no code of the product.

Keys are those of PROTOCOL 4. Nothing is interpreted that the checks do not need.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

INTENT, SALE, RECOVERED, VOID, NOT_APPLIED, UNRESOLVED = 1, 2, 3, 4, 5, 6
PROOF, HEARTBEAT, DECLINED, BATCH_CLOSE = 7, 8, 10, 12
COMMITTED = frozenset({SALE, RECOVERED, VOID})
BEATS = frozenset({HEARTBEAT, BATCH_CLOSE})
CLOSING = COMMITTED | {NOT_APPLIED}
_AAD = b"borsellino/1/entry"
_TAG = 18


@dataclass(frozen=True, slots=True)
class SeenEntry:
    """One entry: its bytes, its hash, and the payload by key."""

    complete: bytes
    hash: bytes
    kid: bytes
    fields: dict[int, Any]
    signed: bytes
    signature: bytes

    @property
    def type(self) -> int:
        """Key 2."""
        return int(self.fields[2])

    @property
    def seq(self) -> int:
        """Key 4."""
        return int(self.fields[4])

    @property
    def wall_ms(self) -> int:
        """Key 6."""
        return int(self.fields[6])


def read_entry(complete: bytes) -> SeenEntry:
    """Reads an entry without verifying it; ValueError for what is none."""
    try:
        message = cbor2.loads(complete)
        protected, _, payload, signature = message.value
        kid = cbor2.loads(protected)[4]
        fields = cbor2.loads(payload)
        numbers = (fields[2], fields[3], fields[4], fields[6])
    except (cbor2.CBORDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError("no COSE_Sign1 with an entry") from error
    if message.tag != _TAG or not all(isinstance(number, int) for number in numbers):
        raise ValueError("no COSE_Sign1 with an entry")
    signed = cbor2.dumps(["Signature1", protected, _AAD, payload])
    return SeenEntry(complete, sha256(complete).digest(), kid, fields, signed, signature)


class Signer:
    """Verifies what one till signs."""

    def __init__(self, public_key: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(public_key)
        self._kid = sha256(public_key).digest()[:8]

    def signed(self, entry: SeenEntry) -> bool:
        """Whether this key signed exactly this entry."""
        if entry.kid != self._kid:
            return False
        try:
            self._key.verify(entry.signature, entry.signed)
        except InvalidSignature:
            return False
        return True
