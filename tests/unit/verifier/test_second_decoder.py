"""The verifier's own decoder against the published vectors, and against the product's."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.verifier.decoder import cbor, cose, entries
from cardlib.errors import CardlibError
from cardlib.wire import cbor as product_cbor
from cardlib.wire.entry import decode_entry

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "entry-vectors.json").read_text()
)
ENTRIES = [bytes.fromhex(entry["cose"]) for entry in VECTORS["entries"]]
TERMINAL = bytes.fromhex(VECTORS["terminal_public"])


def plain(item: Any) -> Any:
    """A decoded payload as the vectors' JSON writes it."""
    if isinstance(item, bytes):
        return item.hex()
    if isinstance(item, dict):
        return {str(key): plain(value) for key, value in item.items()}
    return [plain(value) for value in item] if isinstance(item, list) else item


@pytest.mark.parametrize("entry", VECTORS["entries"], ids=lambda entry: str(entry["type"]))
def test_a_vector_is_read_hashed_and_verified(entry: dict[str, Any]) -> None:
    read = entries.read(bytes.fromhex(entry["cose"]))
    assert plain(dict(read.fields)) == entry["payload"]
    assert read.document.digest.hex() == entry["sha256"]
    assert read.document.signed_by(TERMINAL, cose.AAD_ENTRY)
    assert not read.document.signed_by(TERMINAL, cose.AAD_CERTIFICATE)


@pytest.mark.parametrize("vector", VECTORS["must_be_refused"], ids=lambda vector: vector["why"])
def test_what_must_be_refused_is(vector: dict[str, Any]) -> None:
    try:
        entry = entries.read(bytes.fromhex(vector["cose"]))
    except cbor.NotOneForm:
        return
    assert not entry.document.signed_by(TERMINAL, cose.AAD_ENTRY)


def test_the_record_leads_back_to_its_intent() -> None:
    intent, sale = entries.read(ENTRIES[0]), entries.read(ENTRIES[1])
    record = sale.fields[50]
    assert entries.record_intent(record) == intent.document.digest[:8]
    assert entries.record_ctr(record) == entries.intent_of(intent).ctr == 5
    assert entries.intent_of(intent).by_slot == {1: 1_250}


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("1817", "not the shortest"),
        ("190017", "not the shortest"),
        ("5801aa", "not the shortest"),
        ("a2010001", "cut short"),
        ("a201000100", "not the shortest, sorted"),
        ("a202000100", "not the shortest, sorted"),
        ("a1616100", "not a number"),
        ("a1f500", "not a number"),
        ("9f01ff", "indefinite"),
        ("5f4101ff", "indefinite"),
        ("20", "type 1"),
        ("c001", "type 6"),
        ("f7", "type 7"),
        ("f93c00", "type 7"),
        ("f820", "type 7"),
        ("61ff", "UTF-8"),
        ("0000", "trailing"),
        ("", "cut short"),
        ("9bffffffffffffffff", "more items"),
        ("81" * 9 + "00", "too deep"),
    ],
)
def test_a_second_form_is_refused(octets: str, why: str) -> None:
    with pytest.raises(cbor.NotOneForm, match=why):
        cbor.loads(bytes.fromhex(octets))


def test_depth_8_is_allowed() -> None:
    assert cbor.loads(bytes.fromhex("81" * 8 + "00"))


items: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**64 - 1) | st.binary() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.integers(0, 2**64 - 1), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(items)
def test_both_encoders_write_the_same_form(item: Any) -> None:
    assert cbor.dumps(item) == product_cbor.encode(item)


@given(st.binary(max_size=60))
def test_both_decoders_accept_the_same_bytes(octets: bytes) -> None:
    try:
        expected: Any = product_cbor.decode(octets)
    except CardlibError:
        with pytest.raises(cbor.NotOneForm):
            cbor.loads(octets)
    else:
        assert cbor.loads(octets) == expected


@given(st.sampled_from(ENTRIES), st.data())
def test_both_readers_judge_a_damaged_entry_alike(entry: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(entry) - 65))
    octets = bytearray(entry)
    octets[at] = data.draw(st.integers(0, 255))
    try:
        expected = decode_entry(bytes(octets)).hash
    except CardlibError:
        with pytest.raises(cbor.NotOneForm):
            entries.read(bytes(octets))
    else:
        assert entries.read(bytes(octets)).document.digest == expected


@pytest.mark.parametrize(
    "key",
    [
        bytes(32),
        bytes([1]) + bytes(31),
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
        bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        TERMINAL[:31],
    ],
    ids=["zero", "one", "order 8", "order 8 again", "order 2", "not canonical", "short"],
)
def test_a_key_of_small_order_is_not_sound(key: bytes) -> None:
    assert not cose.is_sound_key(key)


def test_a_terminals_key_is_sound() -> None:
    assert cose.is_sound_key(TERMINAL)
