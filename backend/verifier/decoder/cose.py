"""COSE_Sign1 (RFC 9052, 4.2) and Ed25519, straight on libsodium.

One form only: tag 18, protected header ``{1: -8, 4: kid}``, empty unprotected
header, payload, 64 bytes of signature. ``aad`` tells which kind of document was
signed (docs/entry-format.md).
"""

from dataclasses import dataclass
from hashlib import sha256

from nacl import bindings
from nacl.exceptions import BadSignatureError

from backend.verifier.decoder import cbor

AAD_ENTRY = b"borsellino/1/entry"
AAD_CERTIFICATE = b"borsellino/1/certificate"
AAD_ACKNOWLEDGEMENT = b"borsellino/1/acknowledgement"
AAD_STATEMENT = b"borsellino/1/statement"

_BEFORE_KID = bytes.fromhex("d2844da201270448")
_AFTER_KID = b"\xa0"
_PROTECTED_SIZE = 13


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A document taken apart, not yet verified; ``protected`` is its header as signed."""

    complete: bytes
    protected: bytes
    payload: bytes
    signature: bytes

    @property
    def kid(self) -> bytes:
        """First 8 bytes of SHA-256 of the key that is said to have signed."""
        return self.protected[-8:]

    @property
    def digest(self) -> bytes:
        """SHA-256 of the complete bytes."""
        return sha256(self.complete).digest()

    def signed_by(self, public: bytes, aad: bytes) -> bool:
        """Whether ``public`` (already accepted by :func:`is_sound_key`) signed it as ``aad``."""
        context: cbor.Item = ["Signature1", self.protected, aad, self.payload]
        return self.kid == kid_of(public) and signature_holds(
            public, cbor.dumps(context), self.signature
        )


def take_apart(complete: bytes) -> SignedDocument:
    """Reads a document; cbor.NotOneForm for every other form."""
    at = len(_BEFORE_KID)
    kid, rest = complete[at : at + 8], complete[at + 8 :]
    if complete[:at] != _BEFORE_KID or len(kid) != 8 or rest[:1] != _AFTER_KID:
        raise cbor.NotOneForm("no COSE_Sign1 with exactly tag 18, {1: -8, 4: kid} and {}")
    # The two byte strings that are left, read as an array of two: the array's
    # own head is put in front so that one strict decoder reads everything.
    pair = cbor.loads(b"\x82" + rest[1:])
    if not isinstance(pair, list) or not all(isinstance(part, bytes) for part in pair):
        raise cbor.NotOneForm("payload and signature are not byte strings")
    payload, signature = (part for part in pair if isinstance(part, bytes))
    if len(signature) != 64:
        raise cbor.NotOneForm("the signature is not 64 bytes")
    protected = _BEFORE_KID[-(_PROTECTED_SIZE - 8) :] + kid
    return SignedDocument(complete, protected, payload, signature)


def kid_of(public: bytes) -> bytes:
    """The key id that a header names."""
    return sha256(public).digest()[:8]


def is_sound_key(public: bytes) -> bool:
    """Whether a key may sign at all: canonical, of prime order.

    Under a key of small order one signature passes for many messages.
    """
    return len(public) == 32 and bindings.crypto_core_ed25519_is_valid_point(public)


def signature_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether libsodium accepts this Ed25519 signature of ``message``."""
    if len(signature) != 64:
        return False
    try:
        bindings.crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True
