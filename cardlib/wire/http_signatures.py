"""Signed requests and signed answers over HTTP (RFC 9421), the same code at both ends.

A request covers ``@method @target-uri content-digest content-type``, with the
parameters created, nonce, keyid and tag. An answer covers its status, digest
and type, and from the request the method, target, digest and signature: it
answers this request and no other. An answer repeats the request's nonce.

The key id is the first eight bytes of SHA-256 of the public key, in hex.
Whether ``created`` is near enough is judged by the caller, who has a clock.

Verification follows libsodium (``cardlib.wire.ed25519``), not the library's
default, so that there is one definition of a valid signature. A message in our own
signer's form is signed and verified without the library's parsing, which costs a
hundred times the signature itself; the bytes are the same (``signature_base``).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
)

from cardlib.errors import AuthenticityError, CardlibError, MalformedError
from cardlib.wire import signature_base as plain
from cardlib.wire.ed25519 import PublicKey, SigningKey

CONTENT_TYPE = "application/cbor"
REQUEST_TAG = "borsellino-request"
ANSWER_TAG = "borsellino-answer"
LABEL = "borsellino"
_REQUEST_COMPONENTS = ("@method", "@target-uri", "content-digest", "content-type")
_ANSWER_COMPONENTS = (
    "@status", "content-digest", "content-type",
    '"@method";req', '"@target-uri";req', '"content-digest";req', '"signature";req',
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """A request as sent or received: absolute URL, header fields, body bytes."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and the request it belongs to."""

    status_code: int
    headers: dict[str, str]
    body: bytes
    request: Request


@dataclass(frozen=True, slots=True)
class Signature:
    """What a good signature says of itself; ``created`` in Unix seconds."""

    key_id: str
    created: int
    nonce: str


def key_id(public: PublicKey) -> str:
    """The ``keyid`` under which a key signs."""
    return public.kid.hex()


def sign_request(
    request: Request, sign: Callable[[bytes], bytes], *, key: str, created: int, nonce: str
) -> Request:
    """The request with its digest and signature; ``sign`` gets the signature base."""
    ready = replace(request, headers=_with_digest(request.headers, request.body))
    _apply(ready, _REQUEST_COMPONENTS, sign, key, created, nonce, REQUEST_TAG)
    return ready


def sign_answer(answer: Answer, key: SigningKey, *, created: int, nonce: str) -> Answer:
    """The answer with its digest and signature; its request must carry one."""
    ready = replace(answer, headers=_with_digest(answer.headers, answer.body))
    own = key_id(key.public)
    _apply(ready, _ANSWER_COMPONENTS, key.sign, own, created, nonce, ANSWER_TAG)
    return ready


def verify_request(
    request: Request, key_of: Callable[[str], PublicKey | None]
) -> tuple[PublicKey, Signature]:
    """Who signed, and what the signature says; AuthenticityError ``REQUEST_NOT_SIGNED``."""
    resolver = _Keys(key_of)
    signature = _verify(request, resolver, REQUEST_TAG, _REQUEST_COMPONENTS, "REQUEST_NOT_SIGNED")
    return resolver.found(), signature


def verify_answer(answer: Answer, operator: PublicKey, nonce: str) -> Signature:
    """AuthenticityError ``ANSWER_NOT_SIGNED`` unless ``operator`` answered this very request."""
    own = key_id(operator)
    resolver = _Keys(lambda asked: operator if asked == own else None)
    signature = _verify(answer, resolver, ANSWER_TAG, _ANSWER_COMPONENTS, "ANSWER_NOT_SIGNED")
    if signature.nonce != nonce:
        raise AuthenticityError("ANSWER_NOT_SIGNED")
    return signature


class _Ed25519(HTTPSignatureAlgorithm):
    """Ed25519 (RFC 9421, 3.3.6) as libsodium verifies it; signing is the caller's."""

    algorithm_id = "ed25519"

    def __init__(self, public_key: Any = None, **_: Any) -> None:
        self._public = public_key

    def verify(self, signature: bytes, message: bytes) -> None:
        self._public.verify(message, signature)


class _Keys(HTTPSignatureKeyResolver):
    """Looks up one key and remembers it."""

    def __init__(self, key_of: Callable[[str], PublicKey | None]) -> None:
        self._key_of = key_of
        self._found: PublicKey | None = None

    def resolve_public_key(self, key_id: str) -> Any:
        self._found = self._key_of(key_id)
        return self._found

    def found(self) -> PublicKey:
        assert self._found is not None  # a signature was verified with it
        return self._found


class _Verifier(HTTPMessageVerifier):
    """Leaves the judgement of time to the caller, who has an injected clock."""

    def validate_created_and_expires(
        self, sig_input: Any, max_age: timedelta | None = None
    ) -> None:
        """Nothing here: see :class:`Signature`."""


def _with_digest(headers: dict[str, str], body: bytes) -> dict[str, str]:
    kept = {name.lower(): value for name, value in headers.items()}
    return kept | {"content-type": CONTENT_TYPE, "content-digest": plain.content_digest(body)}


def _apply(
    message: Request | Answer, components: tuple[str, ...], sign: Callable[[bytes], bytes],
    key: str, created: int, nonce: str, tag: str,
) -> None:  # fmt: skip
    lines = _lines(message)
    params = plain.signature_params(components, created=created, key=key, nonce=nonce, tag=tag)
    if lines is not None and params is not None:
        signature = sign(plain.signature_base(lines, params))
        _replace_signature(message.headers, plain.signature_fields(LABEL, params, signature))
        return
    signer = HTTPMessageSigner(signature_algorithm=_Ed25519)
    prepared = signer.prepare(
        message, key_id=key, created=datetime.fromtimestamp(created, UTC), nonce=nonce, tag=tag,
        label=LABEL, covered_component_ids=components, include_alg=False, use_existing_digest=True,
    )  # fmt: skip
    signer.apply(message, prepared, sign(prepared.signature_base))


def _replace_signature(headers: dict[str, str], fields: dict[str, str]) -> None:
    for name in [name for name in headers if name.lower() in ("signature-input", "signature")]:
        del headers[name]
    headers.update(fields)


def _verify(
    message: Request | Answer, keys: _Keys, tag: str, components: tuple[str, ...], code: str
) -> Signature:
    """What is not plain or not good goes to the library, which then says no in its own words."""
    good = _verify_plain(message, keys, tag, components)
    if good is not None:
        return good
    verifier = _Verifier(signature_algorithm=_Ed25519, key_resolver=keys)
    try:
        results = verifier.verify(
            message, max_age=None, expect_tag=tag, require_components=components, body=message.body
        )
        (parameters,) = (result.parameters for result in results)
        return _signature(parameters)
    except (HTTPMessageSignaturesException, ValueError) as error:
        raise AuthenticityError(code) from error


def _verify_plain(
    message: Request | Answer, keys: _Keys, tag: str, components: tuple[str, ...]
) -> Signature | None:
    """A good signature in our own signer's form; None for every other."""
    fields, lines = plain.header_fields(message.headers), _lines(message)
    if fields is None or lines is None:
        return None
    read = plain.read_signature(fields, LABEL, components, tag)
    if read is None:
        return None
    try:
        public = keys.resolve_public_key(read.key_id)
        if public is None:
            return None
        public.verify(plain.signature_base(lines, read.params), read.signature)
    except CardlibError:
        return None
    return Signature(read.key_id, read.created, read.nonce)


def _lines(message: Request | Answer) -> list[str] | None:
    fields = plain.header_fields(message.headers)
    if fields is None:
        return None
    if isinstance(message, Request):
        return plain.request_lines(message, fields)
    return plain.answer_lines(message.status_code, message, fields, message.request)


def _signature(parameters: dict[str, int | str]) -> Signature:
    key, created, nonce = (parameters.get(name) for name in ("keyid", "created", "nonce"))
    if not (isinstance(key, str) and isinstance(nonce, str) and isinstance(created, int)):
        raise MalformedError("HTTP signature", "keyid, created and nonce wanted")
    return Signature(key, created, nonce)
