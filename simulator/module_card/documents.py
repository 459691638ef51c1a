"""Signed documents as the chip makes and reads them: COSE_Sign1 in its one form.

``D2 84 ‖ bstr(protected) ‖ A0 ‖ bstr(payload) ‖ bstr(signature)`` with protected
``A2 01 27 04 48 kid``; what is signed is the array ``["Signature1", protected, use,
payload]`` (RFC 9052, 4.4). The *use* keeps one kind of document from passing for another.
"""

from dataclasses import dataclass
from hashlib import sha256

from nacl import bindings
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from cardlib.codec.module_card import KEY_SIZE, SIGNATURE_SIZE, ModuleStatus
from simulator.card.refusal import Refusal
from simulator.module_card import cbor
from simulator.module_card.refusals import Malformed, refuse_unless

ENTRY = b"borsellino/1/entry"
CERTIFICATE = b"borsellino/1/certificate"
ENROLMENT = b"borsellino/1/enrolment"
ORDER = b"borsellino/1/module-order"
MODULE_KEYS = b"borsellino/1/module-keys"
STATE = b"borsellino/1/module-state"

_TAG = b"\xd2"
_PROTECTED = b"\xa2\x01\x27\x04\x48"


@dataclass(frozen=True, slots=True)
class Document:
    """A document whose signature was good; ``hash`` covers the complete bytes."""

    payload: bytes
    hash: bytes


def kid_of(public_key: bytes) -> bytes:
    """First eight bytes of SHA-256 of a public key."""
    return sha256(public_key).digest()[:8]


def public_key_of(seed: bytes) -> bytes:
    """The public key of a signing seed."""
    return bytes(SigningKey(seed).verify_key)


def raw_signature(seed: bytes, message: bytes) -> bytes:
    """Ed25519, 64 bytes."""
    return SigningKey(seed).sign(message).signature


def signature(seed: bytes, use: bytes, payload: bytes) -> bytes:
    """The signature of a document for one use."""
    return raw_signature(seed, _to_be_signed(kid_of(public_key_of(seed)), use, payload))


def assemble(seed: bytes, use: bytes, payload: bytes) -> bytes:
    """A complete document."""
    protected = _PROTECTED + kid_of(public_key_of(seed))
    signed: list[cbor.Item] = [protected, {}, payload, signature(seed, use, payload)]
    return _TAG + cbor.dumps(signed)


def hash_of(seed: bytes, use: bytes, payload: bytes) -> bytes:
    """SHA-256 of the complete document that :func:`assemble` makes."""
    return sha256(assemble(seed, use, payload)).digest()


def opened(complete: bytes, public_key: bytes, use: bytes) -> Document:
    """The document; Malformed for another form, NOT_GENUINE unless ``public_key`` signed it."""
    if complete[:1] != _TAG:
        raise Malformed
    protected, unprotected, payload, signed = cbor.array(cbor.loads(complete[1:]), 4)
    body, code = cbor.octets(payload), cbor.octets(signed, SIGNATURE_SIZE)
    kid = kid_of(public_key)
    if unprotected != {} or cbor.octets(protected)[:5] != _PROTECTED:
        raise Malformed
    refuse_unless(protected == _PROTECTED + kid, ModuleStatus.NOT_GENUINE)
    _verify(public_key, _to_be_signed(kid, use, body), code)
    return Document(body, sha256(complete).digest())


def require_point(public_key: bytes) -> None:
    """Refuses a key of small order or in another form (PROTOCOL 3)."""
    sound = len(public_key) == KEY_SIZE and bindings.crypto_core_ed25519_is_valid_point(public_key)
    refuse_unless(sound, ModuleStatus.NOT_GENUINE)


def _verify(public_key: bytes, message: bytes, code: bytes) -> None:
    try:
        VerifyKey(public_key).verify(message, code)
    except (BadSignatureError, ValueError):
        raise Refusal(ModuleStatus.NOT_GENUINE) from None


def _to_be_signed(kid: bytes, use: bytes, payload: bytes) -> bytes:
    return cbor.dumps(["Signature1", _PROTECTED + kid, use, payload])
