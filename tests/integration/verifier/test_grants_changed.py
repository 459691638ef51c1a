"""Law 3: value that nobody signed for this purse, or nobody ordered."""

from pathlib import Path

import pytest

from backend.verifier.audit import audit
from backend.verifier.findings import Law
from cardlib.codec.purse import Grant
from cardlib.keys.grants import sign_grant
from cardlib.wire.ed25519 import SigningKey
from tests.integration.verifier.conftest import Audited, codes
from tests.integration.verifier.export_builder import ISSUER, OPERATOR, Files, Row, good, write

KEY_SET = 13
"""Its place in the INFO core."""


def codes_of(audited: Audited, files: Files) -> set[str]:
    return codes(audited, files, Law.GRANTED)


def signed_again(row: Row, key: SigningKey = ISSUER, **fields: int) -> None:
    """The same grant with other fields and a good signature by ``key``."""
    old = Grant.decode(bytes.fromhex(row["grant"]))
    names = Grant.__dataclass_fields__
    grant = Grant(**{name: fields.get(name, getattr(old, name)) for name in names})
    signed = sign_grant(key, bytes.fromhex(row["info_core"]), grant)
    row["grant"], row["signature"] = bytes(grant).hex(), signed.signature.hex()


@pytest.mark.parametrize("at", range(27))
def test_one_byte_of_a_grant_flipped(audited: Audited, at: int) -> None:
    files = good()
    octets = bytearray.fromhex(files["grants.jsonl"][0]["grant"])
    octets[at] ^= 1
    files["grants.jsonl"][0]["grant"] = octets.hex()
    assert codes_of(audited, files) & {"GRANT_SIGNATURE", "GRANT_KEY_UNKNOWN"}


def test_a_grant_without_an_order(audited: Audited) -> None:
    files = good()
    del files["orders.jsonl"][1]
    assert "GRANT_WITHOUT_ORDER" in codes_of(audited, files)


def test_an_order_that_nobody_approved(audited: Audited) -> None:
    files = good()
    files["orders.jsonl"][1]["approved_by"] = None
    assert "ORDER_NOT_APPROVED" in codes_of(audited, files)


def test_a_grant_moved_to_another_purse(audited: Audited) -> None:
    files = good()
    one, other = files["purses.jsonl"][0], files["purses.jsonl"][1]
    files["grants.jsonl"][0].update(purse=other["purse"], info_core=other["info_core"])
    assert one["purse"] != other["purse"]
    assert "GRANT_SIGNATURE" in codes_of(audited, files)


def test_a_grant_signed_by_somebody_else(audited: Audited) -> None:
    files = good()
    signed_again(files["grants.jsonl"][1], SigningKey(bytes([9]) * 32))
    assert "GRANT_SIGNATURE" in codes_of(audited, files)


def test_an_issuer_key_of_small_order(audited: Audited) -> None:
    files = good()
    files["issuers.jsonl"][0]["public_key"] = "00" * 32
    assert {"ISSUER_KEY_UNSOUND", "GRANT_KEY_UNKNOWN"} <= codes_of(audited, files)


def test_a_validly_signed_grant_above_its_order(audited: Audited) -> None:
    files = good()
    signed_again(files["grants.jsonl"][1], granted_total=9_000)
    assert "GRANT_AMOUNT" in codes_of(audited, files)


def test_a_grant_signed_over_totals_that_the_purse_never_had(audited: Audited) -> None:
    """What a leaked shop key would do: lower what was spent, so that the load pays it again."""
    files = good()
    row = next(row for row in files["grants.jsonl"] if row["order"] == 3)
    grant = Grant.decode(bytes.fromhex(row["grant"]))
    signed_again(row, base_spent=grant.base_spent - 500, granted_total=grant.granted_total - 500)
    assert "GRANT_BASE" in codes_of(audited, files)


def test_carrying_over_more_than_the_wallet_held(audited: Audited) -> None:
    files = good()
    row = next(row for row in files["grants.jsonl"] if row["order"] == 3)
    grant = Grant.decode(bytes.fromhex(row["grant"]))
    signed_again(row, granted_total=grant.granted_total + 500)
    files["orders.jsonl"][2]["carried_over_cents"] += 500
    assert "CARRIED_OVER_WRONG" in codes_of(audited, files)


def test_more_granted_than_awarded(audited: Audited) -> None:
    files = good()
    files["awards.jsonl"][0]["amount_cents"] = 14_000
    assert "AWARD_EXCEEDED" in codes_of(audited, files)


def test_one_order_granted_twice(audited: Audited) -> None:
    files = good()
    again = dict(files["grants.jsonl"][1])
    signed_again(again, grant_seq=9)
    files["grants.jsonl"].append(again)
    assert "ORDER_TWICE" in codes_of(audited, files)


def moved_to_another_core(files: Files, **fields: int) -> None:
    """The second order of a wallet becomes one of a key-set change: 0 cents, another core."""
    row = next(row for row in files["grants.jsonl"] if row["order"] == 3)
    grant, order = Grant.decode(bytes.fromhex(row["grant"])), files["orders.jsonl"][2]
    core = bytearray.fromhex(row["info_core"])
    core[KEY_SET] += 1
    row["info_core"] = core.hex()
    worth = grant.granted_total - order["delta_cents"]
    order["delta_cents"] = 0
    signed_again(row, **{"granted_total": worth, **fields})


def test_a_wallet_may_be_signed_anew_for_another_core(audited: Audited) -> None:
    files = good()
    moved_to_another_core(files)
    assert not codes_of(audited, files) & {"ORDER_NOT_APPROVED", "GRANT_AMOUNT"}


@pytest.mark.parametrize(
    "fields",
    [
        {"valid_to": 4000}, {"valid_from": 0}, {"categories": 0xFFFFFFFF}, {"day_limit_eur": 0},
    ],
)  # fmt: skip
def test_what_is_signed_anew_without_money_changes_nothing_else(
    audited: Audited, fields: dict[str, int]
) -> None:
    """Longer, wider or without a limit: that is a new grant, and needs an order with money."""
    files = good()
    moved_to_another_core(files, **fields)
    assert "ORDER_NOT_APPROVED" in codes_of(audited, files)


def test_what_is_signed_anew_without_money_takes_nothing_away(audited: Audited) -> None:
    files = good()
    row = next(row for row in files["grants.jsonl"] if row["order"] == 3)
    spent = Grant.decode(bytes.fromhex(row["grant"])).base_spent
    moved_to_another_core(files, granted_total=spent)
    files["orders.jsonl"][2]["carried_over_cents"] = 0
    assert "CARRIED_OVER_WRONG" in codes_of(audited, files)


def test_a_grant_that_a_till_saw_and_the_town_does_not_list(audited: Audited) -> None:
    files = good()
    del files["grants.jsonl"][0]
    assert {"GRANT_UNLISTED", "SALE_ON_UNKNOWN_GRANT"} <= codes_of(audited, files)


def test_keys_that_the_auditor_brought_are_compared(tmp_path: Path) -> None:
    directory = write(good(), tmp_path)
    known = frozenset({OPERATOR.public.raw, ISSUER.public.raw})
    assert audit(directory, keys=known).holds
    verdict = audit(directory, keys=frozenset({OPERATOR.public.raw}))
    assert [(item.law, item.code) for item in verdict.findings] == [
        (Law.GRANTED, "KEY_NOT_EXPECTED")
    ]
