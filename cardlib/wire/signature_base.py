"""Signature bases of RFC 9421 (2.5) in the one plain form that our own signer writes.

Whoever signs for Borsellino writes the same components in the same order, and plain
values. For those a base is a few lines of text; for everything else - another label,
another order, folded header fields, an unusual URL - the functions here give None, and the
general library decides. What they give is byte for byte what the library gives.
"""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Protocol

_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]+)?/[A-Za-z0-9._~/-]*")
_METHOD = re.compile(r"[A-Z]+")
_VALUE = re.compile(r"[!-~]+(?: [!-~]+)*")
"""A header field or a parameter without anything to trim, fold or escape."""
_QUOTED = r"[ !#-\[\]-~]*"
_SIGNATURE = re.compile(r"([a-z]+)=:([A-Za-z0-9+/]{86}==):")


class Sent(Protocol):
    """What a request and an answer have in common."""

    @property
    def headers(self) -> dict[str, str]:
        """Header fields."""
        ...

    @property
    def body(self) -> bytes:
        """The body as sent."""
        ...


class SentRequest(Sent, Protocol):
    """A request."""

    @property
    def method(self) -> str:
        """In capitals."""
        ...

    @property
    def url(self) -> str:
        """Absolute."""
        ...


@dataclass(frozen=True, slots=True)
class PlainSignature:
    """The two header fields of a signature, read; ``params`` is what the base ends with."""

    params: str
    created: int
    key_id: str
    nonce: str
    signature: bytes


def content_digest(body: bytes) -> str:
    """The Content-Digest of ``body`` (RFC 9530): SHA-256."""
    return f"sha-256=:{b64encode(sha256(body).digest()).decode()}:"


def header_fields(headers: dict[str, str]) -> dict[str, str] | None:
    """The fields by name in small letters; None when a name comes twice."""
    fields = {name.lower(): value for name, value in headers.items()}
    return fields if len(fields) == len(headers) else None


def signature_params(
    components: tuple[str, ...], *, created: int, key: str, nonce: str, tag: str
) -> str | None:
    """The value of ``@signature-params``; None where a parameter is not plain."""
    if not all(re.fullmatch(_QUOTED, text) for text in (key, nonce, tag)) or created < 0:
        return None
    return f'({_listed(components)});created={created};keyid="{key}";nonce="{nonce}";tag="{tag}"'


def read_signature(
    fields: dict[str, str], label: str, components: tuple[str, ...], tag: str
) -> PlainSignature | None:
    """The signature that is alone in its fields, with just these components and this tag."""
    found = _input_pattern(label, components, tag).fullmatch(fields.get("signature-input", ""))
    signed = _SIGNATURE.fullmatch(fields.get("signature", ""))
    if found is None or signed is None or signed[1] != label:
        return None
    params, created, key, nonce = found.groups()
    return PlainSignature(params, int(created), key, nonce, b64decode(signed[2]))


def request_lines(request: SentRequest, fields: dict[str, str]) -> list[str] | None:
    """The base's lines of a request but the last; None unless all is plain and its digest right."""
    values = _digest_and_type(request, fields)
    if values is None or not (_METHOD.fullmatch(request.method) and _URL.fullmatch(request.url)):
        return None
    digest, media = values
    return [
        f'"@method": {request.method}',
        f'"@target-uri": {request.url}',
        f'"content-digest": {digest}',
        f'"content-type": {media}',
    ]


def answer_lines(
    status: int, answer: Sent, fields: dict[str, str], request: SentRequest
) -> list[str] | None:
    """The base's lines of an answer to ``request`` but the last; None as above."""
    values = _digest_and_type(answer, fields)
    asked = header_fields(request.headers)
    if values is None or asked is None:
        return None
    digest, signature = asked.get("content-digest", ""), asked.get("signature", "")
    plain = _VALUE.fullmatch(digest) and _VALUE.fullmatch(signature)
    if not (plain and _METHOD.fullmatch(request.method) and _URL.fullmatch(request.url)):
        return None
    return [
        f'"@status": {status}',
        f'"content-digest": {values[0]}',
        f'"content-type": {values[1]}',
        f'"@method";req: {request.method}',
        f'"@target-uri";req: {request.url}',
        f'"content-digest";req: {digest}',
        f'"signature";req: {signature}',
    ]


def signature_base(lines: list[str], params: str) -> bytes:
    """What is signed."""
    return "\n".join((*lines, f'"@signature-params": {params}')).encode("ascii")


def signature_fields(label: str, params: str, signature: bytes) -> dict[str, str]:
    """The two header fields."""
    value = b64encode(signature).decode()
    return {"Signature-Input": f"{label}={params}", "Signature": f"{label}=:{value}:"}


def _digest_and_type(message: Sent, fields: dict[str, str]) -> tuple[str, str] | None:
    digest, media = fields.get("content-digest", ""), fields.get("content-type", "")
    if digest != content_digest(message.body) or not _VALUE.fullmatch(media):
        return None
    return digest, media


@cache
def _listed(components: tuple[str, ...]) -> str:
    return " ".join(name if name.startswith('"') else f'"{name}"' for name in components)


@cache
def _input_pattern(label: str, components: tuple[str, ...], tag: str) -> re.Pattern[str]:
    listed = re.escape(f"({_listed(components)})")
    return re.compile(
        f"{label}=({listed};created=(0|[1-9][0-9]{{0,14}})"
        f';keyid="({_QUOTED})";nonce="({_QUOTED})";tag="{re.escape(tag)}")'
    )
