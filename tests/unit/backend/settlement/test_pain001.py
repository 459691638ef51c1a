"""The payment order: valid against the schema that another library brings, and the same twice."""

import re
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import sepaxml
import xmlschema

from backend.adapters.pain001 import (
    CENTS_MAX,
    NAMESPACE,
    CreditTransfer,
    Debtor,
    payment_order,
    sepa_text,
)
from backend.errors import BadInputError

SCHEMA = Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.09.xsd"
TOWN = Debtor("Comune di Città Sant'Angelo", "IT60X0542811101000000123456")
SHOP = CreditTransfer(
    "BOR-1-0A1B", "Alimentari Rossi & C.", "IT13S0542811101000000123457", 1250, "Buoni 3/2026"
)
GREENGROCER = CreditTransfer(
    "BOR-2-0C1D", "Frutta è qui", "DE89370400440532013000", 99, "Buoni 3/2026"
)
ORDERED_AT = 1_774_000_000


@pytest.fixture(scope="module")
def schema() -> Any:
    return xmlschema.XMLSchema(str(SCHEMA))


def test_the_file_is_valid(schema: Any) -> None:
    schema.validate(ET.fromstring(payment_order(TOWN, [SHOP, GREENGROCER], ORDERED_AT)))


def test_the_schema_would_notice_a_fault(schema: Any) -> None:
    broken = payment_order(TOWN, [SHOP], ORDERED_AT).replace(b"<ChrgBr>SLEV", b"<ChrgBr>FREE")
    assert not schema.is_valid(ET.fromstring(broken))


def test_a_file_with_the_treasurers_bic_is_valid(schema: Any) -> None:
    town = Debtor(TOWN.name, TOWN.iban, "UNCRITMM")
    schema.validate(ET.fromstring(payment_order(town, [SHOP], ORDERED_AT)))


def test_amounts_count_and_control_sum() -> None:
    root = ET.fromstring(payment_order(TOWN, [SHOP, GREENGROCER], ORDERED_AT))
    spaces = {"p": NAMESPACE}
    amounts = [item.text for item in root.iterfind(".//p:InstdAmt", spaces)]
    assert amounts == ["12.50", "0.99"]
    assert [item.text for item in root.iterfind(".//p:CtrlSum", spaces)] == ["13.49"] * 2
    assert [item.text for item in root.iterfind(".//p:NbOfTxs", spaces)] == ["2"] * 2
    assert {item.get("Ccy") for item in root.iterfind(".//p:InstdAmt", spaces)} == {"EUR"}


def test_the_same_payments_give_the_same_bytes() -> None:
    first = payment_order(TOWN, [SHOP], ORDERED_AT)
    assert first == payment_order(TOWN, [SHOP], ORDERED_AT)
    assert message_id(first) != message_id(payment_order(TOWN, [GREENGROCER], ORDERED_AT))


def message_id(content: bytes) -> str:
    found = re.search(rb"<MsgId>(.*?)</MsgId>", content)
    assert found
    return found[1].decode()


def test_another_library_writes_the_same_payment() -> None:
    """A second opinion on creditor, amount, account and remittance."""
    other = sepaxml.SepaTransfer(
        {"name": "Comune", "IBAN": TOWN.iban, "batch": True, "currency": "EUR"},
        schema="pain.001.001.09", clean=True,
    )  # fmt: skip
    other.add_payment(
        {
            "name": SHOP.name, "IBAN": SHOP.iban, "amount": SHOP.cents,
            "description": SHOP.remittance, "endtoend_id": SHOP.end_to_end_id,
            "execution_date": date(2026, 3, 20),
        }
    )  # fmt: skip
    theirs = transaction(other.export(validate=True, pretty_print=False))
    ours = transaction(payment_order(TOWN, [SHOP], ORDERED_AT))
    ours["Nm"], theirs["Nm"] = ours["Nm"].replace("+", "&"), theirs["Nm"]
    assert ours == theirs


def transaction(content: bytes) -> dict[str, str]:
    block = ET.fromstring(content).find(f".//{{{NAMESPACE}}}CdtTrfTxInf")
    assert block is not None
    return {
        item.tag.rpartition("}")[2]: item.text.strip() for item in block.iter()
        if item.text and item.text.strip()
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"iban": "IT60X0542811101000000123457"}, "IBAN_BAD"),
        ({"iban": "IT60"}, "IBAN_BAD"),
        ({"iban": ""}, "IBAN_BAD"),
        ({"cents": 0}, "PAYMENT_AMOUNT_BAD"),
        ({"cents": -5}, "PAYMENT_AMOUNT_BAD"),
        ({"cents": CENTS_MAX + 1}, "PAYMENT_AMOUNT_BAD"),
        ({"name": "食品店"}, "TEXT_NOT_SEPA"),
        ({"end_to_end_id": "x" * 36}, "PAYMENT_ID_BAD"),
        ({"end_to_end_id": "a//b"}, "PAYMENT_ID_BAD"),
    ],
)
def test_what_no_bank_would_take_is_refused(change: dict[str, Any], code: str) -> None:
    row = {name: getattr(SHOP, name) for name in SHOP.__slots__} | change
    with pytest.raises(BadInputError, match=code):
        payment_order(TOWN, [CreditTransfer(**row)], ORDERED_AT)


def test_a_wrong_bic_is_refused() -> None:
    with pytest.raises(BadInputError, match="BIC_BAD"):
        payment_order(Debtor(TOWN.name, TOWN.iban, "UNC"), [SHOP], ORDERED_AT)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Caffè dell’Università", "Caffe dell'Universita"),
        ("Pane & Vino", "Pane + Vino"),
        ("a  b\tc\n", "a b c"),
        ("//x//y/", "x/y"),
        ("Straße 5€", "Strasse 5."),
    ],
)
def test_names_are_put_into_the_sepa_character_set(text: str, plain: str) -> None:
    assert sepa_text(text, 70) == plain


def test_an_iban_may_be_typed_with_spaces() -> None:
    spaced = CreditTransfer(
        SHOP.end_to_end_id, SHOP.name, "it13 S054 2811 1010 0000 0123 457", 1, "x"
    )
    assert b"<IBAN>IT13S0542811101000000123457</IBAN>" in payment_order(TOWN, [spaced], ORDERED_AT)
