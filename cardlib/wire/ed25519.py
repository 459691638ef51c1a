"""Ed25519 as libsodium verifies it: the one definition of a valid signature.

A key that is registered must be canonical and in the prime-order subgroup:
with a small-order key one fixed signature passes for any message (PROTOCOL 3).
"""

from hashlib import sha256

from nacl import bindings
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey as _NaclSigningKey
from nacl.signing import VerifyKey as _NaclVerifyKey

from cardlib.errors import AuthenticityError

KEY_SIZE = 32
SIGNATURE_SIZE = 64
KID_SIZE = 8


class PublicKey:
    """A checked public key; AuthenticityError ``KEY_WEAK`` when it may not be registered."""

    __slots__ = ("_key", "kid", "raw")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_SIZE or not bindings.crypto_core_ed25519_is_valid_point(raw):
            raise AuthenticityError("KEY_WEAK")
        self.raw = raw
        self.kid = sha256(raw).digest()[:KID_SIZE]
        self._key = _NaclVerifyKey(raw)

    def __bytes__(self) -> bytes:
        return self.raw

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and other.raw == self.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"PublicKey({self.raw.hex()})"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key in groups of four hex digits: what two people compare."""
        digits = sha256(self.raw).hexdigest()[:32]
        return "-".join(digits[at : at + 4] for at in range(0, len(digits), 4))

    def verify(self, message: bytes, signature: bytes) -> None:
        """Returns when the signature is good; AuthenticityError ``SIGNATURE_BAD`` otherwise."""
        try:
            self._key.verify(message, signature)
        except (BadSignatureError, ValueError) as error:
            raise AuthenticityError("SIGNATURE_BAD") from error


class SigningKey:
    """A private key from its 32-byte seed; never printed."""

    __slots__ = ("_key", "public", "seed")

    def __init__(self, seed: bytes) -> None:
        self.seed = seed
        self._key = _NaclSigningKey(seed)
        self.public = PublicKey(bytes(self._key.verify_key))

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.raw.hex()})"

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of ``message``."""
        return self._key.sign(message).signature
