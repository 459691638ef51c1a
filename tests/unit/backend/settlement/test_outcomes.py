"""Outcome files as treasurers and spreadsheets write them, and what is believed of them."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.adapters.outcome_csv import BYTES_MAX, read
from backend.domain.outcomes import (
    KnownPayment,
    Outcome,
    OutcomeState,
    PaymentState,
    judge,
)
from backend.errors import BadInputError

HEADER = "end_to_end_id;amount;state;date;reason\n"


def one(text: str, encoding: str = "utf-8") -> Outcome:
    file = read(text.encode(encoding))
    assert not file.faults
    (outcome,) = file.outcomes
    return outcome


def fault(row: str) -> str:
    file = read((HEADER + row).encode())
    assert not file.outcomes
    (found,) = file.faults
    return found.code


def test_a_plain_file() -> None:
    outcome = one(HEADER + "BOR-1-0A;12.50;paid;2026-03-31;\n")
    assert outcome == Outcome(
        line=2, end_to_end_id="BOR-1-0A", cents=1250, state=OutcomeState.PAID,
        booked_on=date(2026, 3, 31), reference="BOR-1-0A",
    )  # fmt: skip


def test_an_italian_file_as_a_spreadsheet_saves_it() -> None:
    text = (
        "\ufeffID pagamento;Importo;Esito;Data;Motivo;Riferimento;;\r\n"
        '="BOR-1-0A";"€ 1.234,50";Respinto;31/03/2026;"IBAN chiuso; avvisare";TRN 9;;\r\n'
        ";;;;;;;\r\n\r\n"
    )
    outcome = one(text)
    assert (outcome.cents, outcome.state) == (123450, OutcomeState.FAILED)
    assert (outcome.reason, outcome.reference) == ("IBAN chiuso; avvisare", "TRN 9")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_letters_of_every_usual_encoding(encoding: str) -> None:
    assert one(HEADER + "B1;1;failed;2026-01-02;perché\n", encoding).reason == "perché"


@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_every_usual_separator(mark: str) -> None:
    text = HEADER.replace(";", mark) + mark.join(["B1", "7.00", "paid", "2026-01-02", ""])
    assert one(text).cents == 700


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("12", 1200), ("12,5", 1250), ("12.05", 1205), ("1.234,56", 123456), ("1,234.56", 123456),
        ("1.234.567", 123456700), ("1234,56 EUR", 123456), ("EUR 3", 300), ("\u00a07,00", 700),
        ("0,01", 1), ("1234567,89", 123456789),
    ],
)  # fmt: skip
def test_amounts_as_people_write_them(typed: str, cents: int) -> None:
    assert one(HEADER + f"B1;{typed};paid;2026-01-02;\n").cents == cents


@pytest.mark.parametrize(
    "typed",
    ["1.234", "1,234", "", "0", "0,00", "-5", "+5", "1e3", "12,345", "1.23.456", "1.234.56", "٣",
     "1.234,5678", "12 34", "1'000,00", "NaN", "1..2", ",5"],
)  # fmt: skip
def test_amounts_that_are_none_or_could_be_two_are_told(typed: str) -> None:
    assert fault(f"B1;{typed};paid;2026-01-02;\n") == "OUTCOME_AMOUNT_BAD"


@pytest.mark.parametrize("typed", ["31/02/2026", "1/2/26", "2026-13-01", "ieri", "", "02/30/2026"])
def test_dates_that_are_none_are_told(typed: str) -> None:
    assert fault(f"B1;1,00;paid;{typed};\n") == "OUTCOME_DATE_BAD"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (";1,00;paid;2026-01-02;", "OUTCOME_ID_MISSING"),
        ("B1;1,00;perhaps;2026-01-02;", "OUTCOME_STATE_BAD"),
        ("B1;1,00;paid", "OUTCOME_ROW_WIDTH"),
        ("B1;1,00;paid;2026-01-02;;surplus", "OUTCOME_ROW_WIDTH"),
        ("B1;1,00;paid;2026-01-02;" + "x" * 141, "OUTCOME_TEXT_LONG"),
        ("Totale;1,00;;;", "OUTCOME_STATE_BAD"),
    ],
)
def test_other_malformed_rows_are_told(row: str, code: str) -> None:
    assert fault(row) == code


def test_each_faulty_row_is_told_with_its_line() -> None:
    rows = "B1;1,00;paid;2026-01-02;\nB2;x;paid;2026-01-02;\n\nB3;1,00;?;2026-01-02;\n"
    file = read((HEADER + rows).encode())
    assert [item.end_to_end_id for item in file.outcomes] == ["B1"]
    assert [(item.line, item.code) for item in file.faults] == [
        (3, "OUTCOME_AMOUNT_BAD"), (5, "OUTCOME_STATE_BAD"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "OUTCOME_COLUMN_MISSING"),
        (b"end_to_end_id;amount;date\n", "OUTCOME_COLUMN_MISSING"),
        (b"amount;importo;state;date;end_to_end_id\n", "OUTCOME_COLUMN_TWICE"),
        (b"\xff\xfea", "OUTCOME_FILE_UNREADABLE"),
        (HEADER.encode() + b'B1;"' + b"x" * 200_000, "OUTCOME_FILE_UNREADABLE"),
        (b"x" * (BYTES_MAX + 1), "OUTCOME_FILE_TOO_LARGE"),
    ],
)
def test_what_is_no_outcome_file_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(BadInputError, match=code):
        read(content)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    try:
        read(content)
        read(HEADER.encode() + content)
    except BadInputError:
        pass


PAID = Outcome(
    line=2, end_to_end_id="B1", cents=500, state=OutcomeState.PAID,
    booked_on=date(2026, 3, 31), reference="T1",
)  # fmt: skip
SENT = {"B1": KnownPayment(500, PaymentState.SENT)}


def test_an_outcome_of_a_sent_payment_is_believed() -> None:
    assert judge([PAID], SENT, {}).new == (PAID,)


def test_the_same_outcome_again_changes_nothing() -> None:
    judged = judge(
        [replace(PAID, line=9)], {"B1": KnownPayment(500, PaymentState.PAID)}, {"T1": PAID}
    )
    assert (judged.new, judged.known, judged.faults) == ((), 1, ())
    assert judge([PAID, replace(PAID, line=3)], SENT, {}).new == (PAID,)


@pytest.mark.parametrize(
    ("outcome", "payments", "code"),
    [
        (replace(PAID, state=OutcomeState.FAILED), SENT, "OUTCOME_OTHER_CONTENT"),
        (replace(PAID, reference="T2", end_to_end_id="B9"), SENT, "OUTCOME_PAYMENT_UNKNOWN"),
        (replace(PAID, reference="T2", cents=501), SENT, "OUTCOME_AMOUNT_DIFFERS"),
        (
            replace(PAID, reference="T2"),
            {"B1": KnownPayment(500, PaymentState.CREATED)},
            "OUTCOME_NOT_SENT",
        ),
        (
            replace(PAID, reference="T2"),
            {"B1": KnownPayment(500, PaymentState.PAID)},
            "OUTCOME_ALREADY_SETTLED",
        ),
    ],
)
def test_what_cannot_be_is_told(
    outcome: Outcome, payments: dict[str, KnownPayment], code: str
) -> None:
    (found,) = judge([outcome], payments, {"T1": PAID}).faults
    assert found.code == code


def test_one_bad_row_keeps_the_whole_file_out() -> None:
    wrong = replace(PAID, line=3, reference="T2", end_to_end_id="B9")
    judged = judge([PAID, wrong], SENT, {})
    assert judged.new == ()
    assert [item.line for item in judged.faults] == [3]


def test_a_payment_does_not_fail_and_succeed_in_one_file() -> None:
    other = replace(PAID, line=3, reference="T2", state=OutcomeState.FAILED)
    assert [item.code for item in judge([PAID, other], SENT, {}).faults] == [
        "OUTCOME_ALREADY_SETTLED"
    ]
