"""The canonical CBOR subset, with cbor2 as second opinion."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardlib.errors import CardlibError, MalformedError, NotCanonicalError
from cardlib.wire import cbor

leaves = (
    st.integers(0, 2**64 - 1)
    | st.binary(max_size=40)
    | st.text(max_size=20)
    | st.booleans()
    | st.none()
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.integers(0, 2**32), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values)
def test_a_value_survives_and_another_library_reads_the_same(value: cbor.Value) -> None:
    encoded = cbor.encode(value)

    assert cbor.decode(encoded) == value
    assert cbor2.loads(encoded) == value
    assert cbor2.dumps(value, canonical=True) == encoded


@given(st.binary(max_size=60))
def test_whatever_is_accepted_has_one_form(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except CardlibError:
        return
    assert cbor.encode(value) == data


@pytest.mark.parametrize(
    ("why", "hexadecimal"),
    [
        ("number not in shortest form", "1801"),
        ("negative number", "20"),
        ("indefinite array", "9f01ff"),
        ("indefinite bytes", "5f4101ff"),
        ("keys out of order", "a202010102"),
        ("the same key twice", "a201010102"),
        ("text key", "a1616101"),
        ("a key that is true", "a1f501"),
        ("a tag", "c001"),
        ("a float", "f93c00"),
        ("undefined", "f7"),
        ("trailing byte", "0100"),
        ("nested too deep", "81" * 10 + "01"),
    ],
)
def test_every_other_form_is_refused(why: str, hexadecimal: str) -> None:
    with pytest.raises(NotCanonicalError):
        cbor.decode(bytes.fromhex(hexadecimal))


@pytest.mark.parametrize("hexadecimal", ["", "18", "42ff", "62c328", "9b0000000100000000", "8201"])
def test_cut_or_boastful_data_is_refused(hexadecimal: str) -> None:
    with pytest.raises(MalformedError):
        cbor.decode(bytes.fromhex(hexadecimal))


def test_a_negative_number_is_never_written() -> None:
    with pytest.raises(MalformedError):
        cbor.encode(-1)
