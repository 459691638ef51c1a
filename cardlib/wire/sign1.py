"""COSE_Sign1 (RFC 9052, 4.2) in the one form of PROTOCOL 4.

Tag 18, protected header exactly ``{1: -8, 4: kid}``, empty unprotected header,
payload, Ed25519 signature of 64 bytes. The external data tells what kind of
document is signed, so that none can pass for another.
"""

from dataclasses import dataclass
from hashlib import sha256

from cardlib.codec.reader import Reader
from cardlib.errors import AuthenticityError, MalformedError, NotCanonicalError
from cardlib.wire import cbor
from cardlib.wire.ed25519 import KID_SIZE, SIGNATURE_SIZE, PublicKey, SigningKey

ENTRY_AAD = b"borsellino/1/entry"
CERTIFICATE_AAD = b"borsellino/1/certificate"
ACKNOWLEDGEMENT_AAD = b"borsellino/1/acknowledgement"
BUNDLE_AAD = b"borsellino/1/bundle"
MODULE_KEYS_AAD = b"borsellino/1/module-keys"
ENROLMENT_AAD = b"borsellino/1/enrolment"
STATEMENT_AAD = b"borsellino/1/statement"

_TAG_AND_ARRAY = b"\xd2\x84"
_PROTECTED_START = b"\xa2\x01\x27\x04\x48"
_PROTECTED_SIZE = len(_PROTECTED_START) + KID_SIZE
_EMPTY_MAP = b"\xa0"
_CONTEXT = "Signature1"


@dataclass(frozen=True, slots=True)
class Sign1:
    """A parsed message; ``complete`` is what was received, to be kept and hashed."""

    complete: bytes
    kid: bytes
    payload: bytes
    signature: bytes

    @property
    def hash(self) -> bytes:
        """SHA-256 of the complete bytes, tag included."""
        return sha256(self.complete).digest()

    def verify(self, public: PublicKey, aad: bytes) -> None:
        """AuthenticityError unless ``public`` signed exactly this for the use ``aad``."""
        if public.kid != self.kid:
            raise AuthenticityError("KEY_OTHER")
        public.verify(_to_be_signed(self.kid, self.payload, aad), self.signature)


def _to_be_signed(kid: bytes, payload: bytes, aad: bytes) -> bytes:
    return cbor.encode([_CONTEXT, _PROTECTED_START + kid, aad, payload])


def assemble(kid: bytes, payload: bytes, signature: bytes) -> bytes:
    """The complete bytes of a message whose signature was made elsewhere."""
    protected = cbor.encode(_PROTECTED_START + kid)
    return _TAG_AND_ARRAY + protected + _EMPTY_MAP + cbor.encode(payload) + cbor.encode(signature)


def sign(key: SigningKey, payload: bytes, aad: bytes) -> bytes:
    """Signs ``payload`` for the use ``aad``; the complete bytes."""
    kid = key.public.kid
    return assemble(kid, payload, key.sign(_to_be_signed(kid, payload, aad)))


def parse(complete: bytes) -> Sign1:
    """Reads a message without verifying it; MalformedError for every other form."""
    reader = Reader(complete, "COSE_Sign1")
    if reader.take(2) != _TAG_AND_ARRAY:
        raise NotCanonicalError("COSE_Sign1", "tag 18 and four items wanted")
    protected = _take_bytes(reader)
    if len(protected) != _PROTECTED_SIZE or not protected.startswith(_PROTECTED_START):
        raise NotCanonicalError("COSE_Sign1", "protected header is not {1: -8, 4: kid}")
    if reader.take(1) != _EMPTY_MAP:
        raise NotCanonicalError("COSE_Sign1", "unprotected header is not empty")
    payload, signature = _take_bytes(reader), _take_bytes(reader)
    if len(signature) != SIGNATURE_SIZE:
        raise MalformedError("COSE_Sign1", "signature of 64 bytes wanted")
    if reader.remaining:
        raise NotCanonicalError("COSE_Sign1", "trailing bytes")
    return Sign1(complete, protected[-KID_SIZE:], payload, signature)


def _take_bytes(reader: Reader) -> bytes:
    major, size = cbor.read_head(reader)
    if major != 2:
        raise NotCanonicalError("COSE_Sign1", "byte string wanted")
    return reader.take(size)
