"""BER-TLV objects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardlib.codec import tlv
from cardlib.codec.tlv import Tlv
from cardlib.errors import CardlibError, MalformedError, NotCanonicalError

tags = st.sampled_from([0x81, 0x8E, 0x99, 0x62, 0x5F20, 0x7F49, 0x5F8101])
objects = st.lists(st.builds(Tlv, tags, st.binary(max_size=400)), max_size=5)


@given(objects)
def test_objects_survive_their_own_encoding(items: list[Tlv]) -> None:
    assert tlv.decode_strict(tlv.encode(items)) == items


@given(objects, st.data())
def test_a_cut_object_is_refused(items: list[Tlv], data: st.DataObject) -> None:
    encoded = tlv.encode(items)
    cut = data.draw(st.integers(0, max(0, len(encoded) - 1)))
    whole = {len(tlv.encode(items[:count])) for count in range(len(items) + 1)}

    if cut not in whole:
        with pytest.raises(MalformedError):
            tlv.decode(encoded[:cut])


def test_a_card_may_use_a_long_length_but_our_own_data_may_not() -> None:
    lax = bytes.fromhex("81810142")

    assert tlv.decode(lax) == [Tlv(0x81, b"\x42")]
    with pytest.raises(NotCanonicalError):
        tlv.decode_strict(lax)


@given(st.binary(max_size=200))
def test_noise_is_read_or_refused_but_never_crashes(data: bytes) -> None:
    try:
        items = tlv.decode(data)
    except CardlibError:
        return
    assert all(len(item.value) <= len(data) for item in items)
