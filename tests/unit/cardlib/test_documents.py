"""The operator's documents: vectors of another path, what older services signed, the tree."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardlib.errors import AuthenticityError, CardlibError
from cardlib.wire import cbor, merkle, sign1
from cardlib.wire.ed25519 import PublicKey, SigningKey
from cardlib.wire.ledger_head import LedgerHead
from cardlib.wire.statement import Statement
from cardlib.wire.upload import Acknowledgement
from tests import vectors

GOLDEN = vectors.documents()
OPERATOR = PublicKey(bytes.fromhex(GOLDEN["operator_public"]))
KEY = SigningKey(bytes.fromhex(GOLDEN["operator_seed_ed25519"]))


def golden(name: str) -> bytes:
    return bytes.fromhex(GOLDEN[name]["cose"])


@pytest.mark.parametrize("name", ["acknowledgement_before", "acknowledgement"])
def test_an_acknowledgement_is_read_and_written_byte_for_byte(name: str) -> None:
    answer = Acknowledgement.open(golden(name), OPERATOR)

    assert answer.sign(KEY) == golden(name)
    assert (answer.ledger is None) == (name == "acknowledgement_before")


def test_a_statement_is_read_and_written_byte_for_byte() -> None:
    statement = Statement.open(golden("statement"), OPERATOR)

    assert statement.sign(KEY) == golden("statement")
    assert statement.ledger.transfer == 4711


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (5, [1]), (6, [[502, 2, bytes(32), 0, 1, "proven"]]),
        (6, [[502, 2, bytes(32), 1, 1, "sure"]]), (7, [[502, 1]]), (8, [[1, 2, bytes(31)]]),
        (9, [1]), (10, 1),
    ],
)  # fmt: skip
def test_a_signed_statement_that_makes_no_sense_is_refused(key: int, value: Any) -> None:
    payload = cbor.decode(sign1.parse(golden("statement")).payload)
    assert isinstance(payload, dict)
    payload[key] = value

    with pytest.raises(CardlibError):
        Statement.open(sign1.sign(KEY, cbor.encode(payload), sign1.STATEMENT_AAD), OPERATOR)


def test_an_acknowledgement_does_not_pass_for_a_statement() -> None:
    with pytest.raises(AuthenticityError):
        Statement.open(golden("acknowledgement"), OPERATOR)


def test_a_ledger_head_in_words_can_be_told_by_telephone() -> None:
    assert LedgerHead(53, bytes.fromhex("9f3a7c210b5ed411") + bytes(24)).words == (
        "53 9F3A 7C21 0B5E D411"
    )


@pytest.mark.parametrize("case", GOLDEN["merkle"], ids=lambda case: len(case["leaves"]))
def test_the_tree_of_another_path_has_the_same_root(case: dict[str, Any]) -> None:
    leaves = [bytes.fromhex(leaf) for leaf in case["leaves"]]

    assert merkle.Tree(leaves).root.hex() == case["root"]


@given(size=st.integers(1, 40), data=st.data())
def test_a_path_leads_to_the_root_for_its_own_leaf_and_place_only(
    size: int, data: st.DataObject
) -> None:
    leaves = [bytes([at]) * 32 for at in range(size)]
    at, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    path = merkle.Tree(leaves).path_of(at)

    assert merkle.root_by_path(leaves[at], at, size, path) == merkle.Tree(leaves).root
    if other != at:
        assert merkle.root_by_path(leaves[other], at, size, path) != merkle.Tree(leaves).root
    assert merkle.root_by_path(leaves[at], at, size, [*path, bytes(32)]) is None
    assert merkle.root_by_path(leaves[at], size, size, path) is None
