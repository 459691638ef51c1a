"""Bundles as they were signed at first are still read: a till must not stop for an upgrade."""

import pytest

from cardlib.errors import MalformedError
from cardlib.wire import cbor, sign1
from cardlib.wire.bundle import Bundle, KeySet, Limits
from cardlib.wire.cbor import Value
from cardlib.wire.ed25519 import SigningKey

OPERATOR = SigningKey(bytes([7]) * 32)
LISTS: dict[int, Value] = {number: [] for number in range(7, 13)}
AT_FIRST: dict[int, Value] = {1: 4, 2: 1_780_000_000, 3: 3, 4: [50_00, 7, 15], 5: 17, 6: 5, **LISTS}


def signed(fields: dict[int, Value]) -> bytes:
    return sign1.sign(OPERATOR, cbor.encode(fields), sign1.BUNDLE_AAD)


def test_a_bundle_of_before_legacy_chips_and_key_sets_serves_neither() -> None:
    bundle = Bundle.open(signed(AT_FIRST), OPERATOR.public)
    assert bundle.limits == Limits(50_00, 7, 15, legacy_sale_cents=0)
    assert (bundle.key_sets, bundle.card_limits) == ((), None)


def test_limits_of_tills_with_a_module_card_may_be_as_old() -> None:
    fields = AT_FIRST | {13: [[bytes.fromhex("018153"), 2]], 14: [0, 7, 15]}
    bundle = Bundle.open(signed(fields), OPERATOR.public)
    assert bundle.key_sets == (KeySet(bytes.fromhex("018153"), 2),)
    assert bundle.card_limits == Limits(0, 7, 15)


@pytest.mark.parametrize("limits", [[], [1, 2], [1, 2, 3, 4, 5], [1, 2, b"3"]])
def test_limits_are_three_numbers_or_four(limits: list[Value]) -> None:
    with pytest.raises(MalformedError):
        Bundle.open(signed(AT_FIRST | {4: limits}), OPERATOR.public)
