"""Requests and answers are signed as RFC 9421 says, and an answer fits one request only."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    InvalidSignature,
    MappingKeyResolver,
    algorithms,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from cardlib.errors import AuthenticityError, MalformedError
from cardlib.keys.soft_module import KeyRing, SoftModule
from cardlib.wire.ed25519 import PublicKey, SigningKey
from cardlib.wire.http_signatures import (
    Answer,
    Request,
    key_id,
    sign_answer,
    sign_request,
    verify_answer,
    verify_request,
)

TILL = SigningKey(bytes(range(32)))
OPERATOR = SigningKey(bytes(range(32, 64)))
STRANGER = SigningKey(bytes(range(64, 96)))
CREATED = 1_790_000_000
URL = "http://127.0.0.1:8000/v1/entries"


def signed_request(body: bytes = b"batch", nonce: str = "ab12") -> Request:
    request = Request("POST", URL, {}, body)
    return sign_request(request, TILL.sign, key=key_id(TILL.public), created=CREATED, nonce=nonce)


def signed_answer(request: Request, key: SigningKey = OPERATOR, nonce: str = "ab12") -> Answer:
    return sign_answer(Answer(200, {}, b"ack", request), key, created=CREATED, nonce=nonce)


class NoRandomness:
    def bytes(self, count: int) -> bytes:
        raise AssertionError(f"{count} bytes: signing a request needs none")


def known(asked: str) -> PublicKey | None:
    return TILL.public if asked == key_id(TILL.public) else None


def test_request_tells_who_signed_and_when() -> None:
    key, signature = verify_request(signed_request(), known)
    assert key == TILL.public
    assert (signature.created, signature.nonce) == (CREATED, "ab12")


def test_the_module_signs_requests_and_nothing_else() -> None:
    module = SoftModule(KeyRing(TILL), NoRandomness())
    request = Request("POST", URL, {}, b"batch")
    signed = sign_request(
        request, module.sign_request, key=key_id(TILL.public), created=CREATED, nonce="1"
    )
    assert verify_request(signed, known)[0] == TILL.public
    entry = b"\x84\x6aSignature1"
    with pytest.raises(AuthenticityError, match="MODULE_NO_REQUEST"):
        module.sign_request(entry)


def test_another_implementation_of_ed25519_accepts_the_request() -> None:
    public = Ed25519PublicKey.from_public_bytes(TILL.public.raw)
    keys = MappingKeyResolver(public_keys={key_id(TILL.public): public}, private_keys={})

    class Timeless(HTTPMessageVerifier):
        max_clock_skew = timedelta(days=36500)

    verifier = Timeless(signature_algorithm=algorithms.ED25519, key_resolver=keys)
    request = signed_request()
    (result,) = verifier.verify(
        request, max_age=None, expect_tag="borsellino-request", body=request.body
    )
    assert result.nonce == "ab12"
    with pytest.raises(InvalidSignature):
        verifier.verify(
            replace(request, body=b"other"), max_age=None,
            expect_tag="borsellino-request", body=b"other",
        )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"url": URL + "?x=1"},
        {"url": "http://127.0.0.1:8001/v1/entries"},
        {"body": b"batch2"},
        {"body": b""},
    ],
)
def test_changed_request_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(AuthenticityError, match="REQUEST_NOT_SIGNED"):
        verify_request(replace(signed_request(), **change), known)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["signature", "signature-input", "content-digest", "content-type"])
def test_request_without_a_covered_header_is_refused(name: str) -> None:
    request = signed_request()
    headers = {key: value for key, value in request.headers.items() if key.lower() != name}
    with pytest.raises(AuthenticityError):
        verify_request(replace(request, headers=headers), known)


def test_unknown_key_is_refused() -> None:
    with pytest.raises(AuthenticityError, match="REQUEST_NOT_SIGNED"):
        verify_request(signed_request(), lambda _: None)


def test_request_that_covers_less_is_refused() -> None:
    request = signed_request()
    name = next(name for name in request.headers if name.lower() == "signature-input")
    fewer = request.headers | {name: request.headers[name].replace('"content-type"', "")}
    with pytest.raises(AuthenticityError):
        verify_request(replace(request, headers=fewer), known)


def test_answer_of_the_operator_is_accepted() -> None:
    answer = signed_answer(signed_request())
    assert verify_answer(answer, OPERATOR.public, "ab12").created == CREATED


def test_answer_of_a_stranger_is_refused() -> None:
    answer = signed_answer(signed_request(), STRANGER)
    with pytest.raises(AuthenticityError, match="ANSWER_NOT_SIGNED"):
        verify_answer(answer, OPERATOR.public, "ab12")


def test_answer_to_another_request_is_refused() -> None:
    """The same batch sent twice gets two answers: the first does not pass for the second."""
    first = signed_answer(signed_request(nonce="01"), nonce="01")
    second = signed_request(nonce="02")
    with pytest.raises(AuthenticityError, match="ANSWER_NOT_SIGNED"):
        verify_answer(replace(first, request=second), OPERATOR.public, "02")
    with pytest.raises(AuthenticityError, match="ANSWER_NOT_SIGNED"):
        verify_answer(first, OPERATOR.public, "02")


def test_an_answer_is_tied_to_the_requests_signature_too() -> None:
    """Even if a nonce came twice: another second, another signature, another answer."""
    request = Request("POST", URL, {}, b"batch")
    later = sign_request(
        request, TILL.sign, key=key_id(TILL.public), created=CREATED + 1, nonce="ab12"
    )
    with pytest.raises(AuthenticityError, match="ANSWER_NOT_SIGNED"):
        verify_answer(
            replace(signed_answer(signed_request()), request=later), OPERATOR.public, "ab12"
        )


@pytest.mark.parametrize("change", [{"status_code": 503}, {"body": b"ac"}, {"headers": {}}])
def test_changed_answer_is_refused(change: dict[str, object]) -> None:
    answer = signed_answer(signed_request())
    with pytest.raises(AuthenticityError, match="ANSWER_NOT_SIGNED"):
        verify_answer(replace(answer, **change), OPERATOR.public, "ab12")  # type: ignore[arg-type]


def test_a_request_does_not_pass_for_an_answer() -> None:
    request = signed_request()
    with pytest.raises(AuthenticityError):
        verify_answer(Answer(200, request.headers, request.body, request), TILL.public, "ab12")


HEADERS = st.sampled_from(["signature", "signature-input", "content-digest", "content-type"])


@given(name=HEADERS, at=st.integers(0, 400), char=st.characters(max_codepoint=255))
def test_any_changed_header_is_refused_by_name_and_breaks_nothing(
    name: str, at: int, char: str
) -> None:
    """One character anywhere: never another error, never believed."""
    request = signed_request()
    found = next(key for key in request.headers if key.lower() == name)
    value = request.headers[found]
    at %= len(value)
    changed = value[:at] + char + value[at + 1 :]
    assume(changed != value)
    broken = replace(request, headers=request.headers | {found: changed})
    try:
        public, _ = verify_request(broken, known)
    except (AuthenticityError, MalformedError):
        return
    assert name in {"signature", "signature-input"}  # another label, or another padding, of
    assert public == TILL.public  # ... the very same signature


@given(st.dictionaries(HEADERS, st.text(max_size=60)))
def test_no_headers_break_the_verifier(headers: dict[str, str]) -> None:
    with pytest.raises((AuthenticityError, MalformedError)):
        verify_request(Request("POST", URL, headers, b""), known)


COVERED = ("@method", "@target-uri", "content-digest", "content-type")
ANSWERED = (
    "@status", "content-digest", "content-type",
    '"@method";req', '"@target-uri";req', '"content-digest";req', '"signature";req',
)  # fmt: skip


def of_the_library(
    message: Request | Answer, key: SigningKey, covered: tuple[str, ...], nonce: str
) -> dict[str, str]:
    """The header fields as the general library alone makes them."""
    private = Ed25519PrivateKey.from_private_bytes(key.seed)
    keys = MappingKeyResolver(public_keys={}, private_keys={key_id(key.public): private})
    told = replace(message, headers={"content-type": "application/cbor"})
    HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=keys).sign(
        told, key_id=key_id(key.public), created=datetime.fromtimestamp(CREATED, UTC), nonce=nonce,
        tag="borsellino-request" if isinstance(message, Request) else "borsellino-answer",
        label="borsellino", include_alg=False, covered_component_ids=covered, body=message.body,
    )  # fmt: skip
    return told.headers


def small(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@pytest.mark.parametrize("nonce", ["ab12", "", 'with " and \\', "a b"])
@pytest.mark.parametrize("url", [URL, "https://Town.example/v1/a%20b?x=1", "http://[::1]:8000/v1"])
def test_what_we_sign_is_to_the_byte_what_the_library_makes(url: str, nonce: str) -> None:
    request = Request("POST", url, {}, b"batch")
    own = key_id(TILL.public)
    signed = sign_request(request, TILL.sign, key=own, created=CREATED, nonce=nonce)
    assert small(signed.headers) == small(of_the_library(request, TILL, COVERED, nonce))
    answer = Answer(409, {}, b"no", signed)
    ours = sign_answer(answer, OPERATOR, created=CREATED, nonce=nonce)
    assert small(ours.headers) == small(of_the_library(answer, OPERATOR, ANSWERED, nonce))
    assert verify_request(signed, known)[1].nonce == nonce
    assert verify_answer(ours, OPERATOR.public, nonce).created == CREATED


def test_a_caller_that_signs_more_or_in_another_order_is_accepted() -> None:
    request = Request("POST", URL, {}, b"batch")
    for covered in (COVERED[::-1], (*COVERED, "@authority")):
        headers = of_the_library(request, TILL, covered, "ab12")
        public, signature = verify_request(replace(request, headers=headers), known)
        assert (public, signature.nonce) == (TILL.public, "ab12")
