"""Grants: the issuer's Ed25519 signature binds value to one purse (PROTOCOL 3).

Signed bytes: ``"borsellino/1/grant" ‖ 00 ‖ INFO core ‖ grant bytes 0-26``.
That key signs nothing else.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from cardlib.codec.purse import GRANT_CLEAR_SIZE, GRANT_SIGNED_SIZE, Grant
from cardlib.errors import MalformedError
from cardlib.wire.ed25519 import PublicKey, SigningKey

_PREFIX = b"borsellino/1/grant\x00"


@dataclass(frozen=True, slots=True)
class SignedGrant:
    """A grant with its signature: 91 bytes in clear."""

    grant: Grant
    signature: bytes

    def __bytes__(self) -> bytes:
        return bytes(self.grant) + self.signature

    @property
    def hash(self) -> bytes:
        """SHA-256 of the 91 clear bytes: key 37 of an intent."""
        return sha256(bytes(self)).digest()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads 91 bytes."""
        if len(data) != GRANT_SIGNED_SIZE:
            raise MalformedError("grant", f"{len(data)} bytes")
        return cls(Grant.decode(data[:GRANT_CLEAR_SIZE]), data[GRANT_CLEAR_SIZE:])

    def verify(self, info_core: bytes, issuer_key: PublicKey) -> None:
        """AuthenticityError unless the issuer signed this grant for this purse."""
        issuer_key.verify(_PREFIX + info_core + bytes(self.grant), self.signature)


def sign_grant(key: SigningKey, info_core: bytes, grant: Grant) -> SignedGrant:
    """Signs ``grant`` for the purse of ``info_core`` (16 bytes)."""
    return SignedGrant(grant, key.sign(_PREFIX + info_core + bytes(grant)))
