"""Keys of later key sets on their way to a till, and the bundle that names them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardlib.errors import AuthenticityError, CardlibError, MalformedError
from cardlib.wire.bundle import Bundle, KeySet, Limits
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.ids import TerminalNumber
from cardlib.wire.module_keys import KeyAnswer, KeyRequest

OPERATOR = SigningKey(bytes([7]) * 32)
HELD = ((bytes.fromhex("018153"), 1), (bytes.fromhex("018153"), 2))


def test_a_request_says_which_key_sets_are_held() -> None:
    request = KeyRequest(bytes(range(32)), HELD)

    assert KeyRequest.decode(request.encode()) == request


def test_an_answer_is_believed_from_the_operator_only() -> None:
    answer = KeyAnswer(TerminalNumber(502), b"sealed")
    complete = answer.sign(OPERATOR)

    assert KeyAnswer.open(complete, OPERATOR.public) == answer
    with pytest.raises(AuthenticityError):
        KeyAnswer.open(complete, SigningKey(bytes(32)).public)


def test_a_bundle_names_key_sets_and_is_no_key_answer() -> None:
    bundle = Bundle(
        version=1, issued_at=2, parameters=3, limits=Limits(), hotlist_version=4,
        watermark_version=5, key_sets=(KeySet(HELD[1][0], 2),),
    )  # fmt: skip
    complete = bundle.sign(OPERATOR)

    assert Bundle.open(complete, OPERATOR.public) == bundle
    with pytest.raises(AuthenticityError):
        KeyAnswer.open(complete, OPERATOR.public)


@given(st.binary(max_size=80))
def test_other_bytes_have_a_named_error(data: bytes) -> None:
    with pytest.raises(MalformedError):
        KeyRequest.decode(data)
    with pytest.raises(CardlibError):
        KeyAnswer.open(data, OPERATOR.public)
