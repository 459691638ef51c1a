"""Journal entries: golden vectors, a second COSE implementation, one canonical form."""

import json
from collections.abc import Iterator
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycose.keys.okp import OKPKey
from pycose.messages.sign1message import Sign1Message

from cardlib.errors import AuthenticityError, CardlibError, MalformedError
from cardlib.wire import cbor, sign1
from cardlib.wire.ed25519 import PublicKey, SigningKey
from cardlib.wire.entry import decode_entry, encode_payload
from cardlib.wire.entry_body import Intent, NotAppliedCode
from tests import vectors

TERMINAL = SigningKey(bytes.fromhex(vectors.entries()["terminal_seed_ed25519"]))
GOLDEN = {item["type"]: item for item in vectors.entries()["entries"]}


def golden_bytes(kind: str) -> bytes:
    return bytes.fromhex(GOLDEN[kind]["cose"])


def as_told(value: cbor.Value) -> Any:
    """A decoded payload as the vectors write it: bytes in hex, keys as text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [as_told(item) for item in value]
    if isinstance(value, dict):
        return {str(key): as_told(item) for key, item in value.items()}
    return value


@pytest.mark.parametrize("kind", GOLDEN)
def test_a_golden_entry_is_read_and_written_byte_for_byte(kind: str) -> None:
    entry = decode_entry(golden_bytes(kind))
    entry.verify(TERMINAL.public)

    payload = encode_payload(entry.header, entry.body)

    assert as_told(cbor.decode(payload)) == GOLDEN[kind]["payload"]
    assert sign1.sign(TERMINAL, payload, sign1.ENTRY_AAD) == golden_bytes(kind)
    assert entry.hash.hex() == GOLDEN[kind]["sha256"]


@pytest.mark.parametrize("case", vectors.entries()["must_be_refused"], ids=lambda case: case["why"])
def test_altered_golden_entries_are_refused(case: dict[str, str]) -> None:
    with pytest.raises(CardlibError):
        decode_entry(bytes.fromhex(case["cose"])).verify(TERMINAL.public)


@pytest.mark.parametrize("kind", GOLDEN)
def test_a_second_cose_implementation_verifies_the_entry(kind: str) -> None:
    protected, unprotected, payload, signature = cbor2.loads(golden_bytes(kind)).value
    message = Sign1Message.from_cose_obj(
        [protected, dict(unprotected), payload, signature], allow_unknown_attributes=True
    )
    message.external_aad = sign1.ENTRY_AAD  # type: ignore[misc]  # its setter has no type
    message.key = OKPKey(crv="ED25519", x=TERMINAL.public.raw)

    assert message.verify_signature()


@given(st.sampled_from(sorted(GOLDEN)), st.data())
def test_one_flipped_bit_anywhere_is_refused(kind: str, data: st.DataObject) -> None:
    changed = bytearray(golden_bytes(kind))
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(CardlibError):
        decode_entry(bytes(changed)).verify(TERMINAL.public)


def resigned(kind: str, **changes: cbor.Value) -> bytes:
    """A golden entry with fields set (None: ``drop``), signed again by the terminal."""
    payload = cbor.decode(sign1.parse(golden_bytes(kind)).payload)
    assert isinstance(payload, dict)
    for name, value in changes.items():
        payload[int(name.removeprefix("key_"))] = value
    return sign1.sign(TERMINAL, cbor.encode(payload), sign1.ENTRY_AAD)


def bad_fields() -> Iterator[tuple[str, str, dict[str, cbor.Value]]]:
    """What a broken or hostile till may sign."""
    yield "unknown field", "intent", {"key_99": 1}
    yield "void reference in a sale", "intent", {"key_40": [1]}
    yield "line of zero cents", "intent", {"key_36": [[1, 7, 0, 0]]}
    yield "slot seven", "intent", {"key_36": [[7, 7, 0, 1]]}
    yield "category 32", "intent", {"key_36": [[1, 7, 32, 1]]}
    yield "a missing grant hash", "intent", {"key_37": []}
    yield "short record", "sale", {"key_50": bytes(53)}
    yield "a tc of seven bytes", "sale", {"key_52": bytes(7)}
    yield "an unknown way", "sale", {"key_54": "guessed"}
    yield "module class 9", "heartbeat", {"key_14": 9}
    yield "voids before sales", "batch_close", {"key_63": [[2, 0, 0], [1, 1, 1250]]}
    yield "a batch that ends before it begins", "batch_close", {"key_62": [3, 1]}
    yield "a ledger head without hash", "batch_close", {"key_65": [4711]}
    yield "seq above three bytes", "heartbeat", {"key_4": 1 << 24}


@pytest.mark.parametrize(("why", "kind", "changes"), list(bad_fields()))
def test_a_signed_entry_that_makes_no_sense_is_refused(
    why: str, kind: str, changes: dict[str, cbor.Value]
) -> None:
    with pytest.raises(MalformedError):
        decode_entry(resigned(kind, **changes))


@pytest.mark.parametrize(
    ("key", "value", "code"), [("key_1", 2, "ENTRY_VERSION"), ("key_2", 200, "ENTRY_TYPE")]
)
def test_what_a_later_version_writes_has_a_code_of_its_own(key: str, value: int, code: str) -> None:
    with pytest.raises(MalformedError) as caught:
        decode_entry(resigned("heartbeat", **{key: value}))

    assert caught.value.code == code


def test_an_intent_without_void_reference_is_a_sale() -> None:
    body = decode_entry(golden_bytes("intent")).body

    assert isinstance(body, Intent)
    assert body.voided is None


def test_codes_on_paper_are_the_codes_in_the_code() -> None:
    assert json.dumps([code.value for code in NotAppliedCode]) == (
        '["not_sent", "read", "declined", "too_late"]'
    )


SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
]


@pytest.mark.parametrize("raw", SMALL_ORDER)
def test_a_key_of_small_order_cannot_be_registered(raw: str) -> None:
    with pytest.raises(AuthenticityError, match="KEY_WEAK"):
        PublicKey(bytes.fromhex(raw))


def test_a_key_of_the_wrong_length_cannot_be_registered() -> None:
    with pytest.raises(AuthenticityError, match="KEY_WEAK"):
        PublicKey(bytes(31))
