"""Which wallets a till sees on a card, from records whose answers were authentic."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardlib.codec.purse import Grant, Spend, SpendType
from cardlib.dialogues.purse_state import PurseState, build_state
from cardlib.errors import PurseRefusedError
from cardlib.keys.grants import sign_grant
from cardlib.keys.module import GrantReading, SpendReading
from cardlib.wire.ed25519 import PublicKey, SigningKey
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money
from tests.unit.cardlib.test_purse_records import INFO, ISSUER, vector_grant

STRANGER = SigningKey(bytes(32))
SPENT: Spend = Spend(
    SpendType.SALE, 5, bytes(8), (3250, 0, 0, 0, 0, 0), 502, 4, 1790001000, 1250, bytes(4)
)
NEWEST = SpendReading(1, b"newest", SPENT)


class KnownTrust:
    """A till that knows one issuer key and perhaps a watermark."""

    def __init__(self, least: int = 0) -> None:
        self._least = least

    def issuer_key(self, issuer: bytes, key_id: int) -> PublicKey | None:
        return ISSUER.public if (issuer, key_id) == (INFO.issuer, 1) else None

    def least_grant_seq(self, purse: PurseId) -> int:
        return self._least if purse.issuer == INFO.issuer else 0


def read(number: int, grant: Grant, key: SigningKey = ISSUER) -> GrantReading:
    return GrantReading(number, b"", sign_grant(key, INFO.core, grant))


def state(*readings: GrantReading, least: int = 0) -> PurseState:
    grants = {reading.number: reading for reading in readings}
    return build_state(INFO, 0xB001, [NEWEST], grants, KnownTrust(least), complete=True)


def test_the_balance_is_what_was_granted_less_what_was_spent() -> None:
    assert state(read(1, vector_grant())).wallets[1].balance == Money(12000 - 3250)


def test_the_highest_grant_number_wins_wherever_it_lies() -> None:
    newer = replace(vector_grant(), grant_seq=8, granted_total=15000)

    seen = state(read(1, newer), read(2, vector_grant()))

    assert seen.wallets[1].grant.grant_seq == 8


def test_a_grant_signed_by_a_stranger_is_not_there() -> None:
    assert not state(read(1, vector_grant(), STRANGER)).wallets


def test_a_grant_of_an_unknown_issuer_key_is_not_there() -> None:
    assert not state(read(1, replace(vector_grant(), issuer_key=9))).wallets


def test_two_grants_with_one_number_refuse_their_wallet() -> None:
    seen = state(read(1, vector_grant()), read(2, replace(vector_grant(), granted_total=99999)))

    assert not seen.wallets
    assert seen.refused == {1: "GRANT_TWICE"}


def test_the_same_grant_in_two_records_is_one_wallet() -> None:
    assert list(state(read(1, vector_grant()), read(4, vector_grant())).wallets) == [1]


@pytest.mark.parametrize("change", [{"flags": 1}, {"day_limit_eur": 656}])
def test_a_rule_that_this_version_does_not_know_refuses_the_wallet_but_wins(
    change: dict[str, int],
) -> None:
    newer = replace(vector_grant(), grant_seq=8, **change)

    seen = state(read(1, vector_grant()), read(2, newer))

    assert not seen.wallets
    assert seen.refused == {1: "WALLET_UNKNOWN_RULE"}


def test_an_old_grant_below_the_watermark_is_treated_as_superseded() -> None:
    assert not state(read(1, vector_grant()), least=8).wallets


@pytest.mark.parametrize(
    "change", [{"base_ctr": 6}, {"base_spent": 3251}, {"granted_total": 3249, "base_spent": 0}]
)
def test_a_record_that_contradicts_its_grant_refuses_the_card(change: dict[str, int]) -> None:
    with pytest.raises(PurseRefusedError, match="PURSE_BELOW_GRANT"):
        state(read(1, replace(vector_grant(), **change)))


@given(st.integers(0, 12000 - 2000))
def test_no_balance_is_ever_negative(spent: int) -> None:
    totals = (2000 + spent, 0, 0, 0, 0, 0)
    reading = SpendReading(1, b"", replace(SPENT, spent=totals))

    seen = build_state(
        INFO, 0xB001, [reading], {1: read(1, vector_grant())}, KnownTrust(), complete=True
    )

    assert seen.wallets[1].balance >= Money(0)
