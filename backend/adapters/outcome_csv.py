"""Reads the file in which the treasurer says what became of each payment.

One header line, then a line a payment. Columns, in any order, Italian or English:

============== ================== ===================================================
end_to_end_id  id_pagamento       as in the payment order
amount         importo            euro: 1.234,56 or 1,234.56 or 1234,5
state          stato              paid, pagato, eseguito / failed, fallito, respinto
date           data               2026-03-31 or 31/03/2026
reason         motivo             optional: why it failed
reference      riferimento        optional: the bank's own; else the end_to_end_id
============== ================== ===================================================

What spreadsheets do to such files is understood: a byte order mark, UTF-16, Windows
letters, semicolons or tabs, ``="text"``, hard spaces, empty lines and columns. What
could mean two things is refused: ``1.234`` may be one euro or a thousand.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from backend.domain.outcomes import Outcome, OutcomeState, RowFault
from backend.errors import BadInputError

BYTES_MAX = 5_000_000
_COLUMNS: Mapping[str, str] = {
    "endtoendid": "end_to_end_id", "idpagamento": "end_to_end_id", "paymentid": "end_to_end_id",
    "amount": "amount", "importo": "amount",
    "state": "state", "stato": "state", "esito": "state",
    "date": "date", "data": "date",
    "reason": "reason", "motivo": "reason",
    "reference": "reference", "riferimento": "reference",
}  # fmt: skip
_REQUIRED = ("end_to_end_id", "amount", "state", "date")
_STATES: Mapping[str, OutcomeState] = {
    **dict.fromkeys(("paid", "pagato", "eseguito"), OutcomeState.PAID),
    **dict.fromkeys(("failed", "fallito", "respinto"), OutcomeState.FAILED),
}
_GUARD = re.compile(r'="(.*)"')
_AMOUNTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(\d+)(?:[.,](\d{1,2}))?",
        r"(\d{1,3}(?:\.\d{3})+),(\d{1,2})",
        r"(\d{1,3}(?:,\d{3})+)\.(\d{1,2})",
        r"(\d{1,3}(?:(?:\.\d{3}){2,}|(?:,\d{3}){2,}))()",
    )
)
_ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_ITALIAN_DATE = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})")
_REASON_MAX, _REFERENCE_MAX = 140, 80


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What a file says: outcomes, and the rows that could not be understood."""

    outcomes: tuple[Outcome, ...]
    faults: tuple[RowFault, ...]


def read(content: bytes) -> ReadFile:
    """All rows; BadInputError when this is no such file at all."""
    table = csv.reader(io.StringIO(_decode(content), newline=""), delimiter=_delimiter(content))
    outcomes: list[Outcome] = []
    faults: list[RowFault] = []
    try:
        header = _header(next(table, []))
        for cells in table:
            read_row = _row(table.line_num, header, cells)
            if isinstance(read_row, Outcome):
                outcomes.append(read_row)
            elif read_row is not None:
                faults.append(read_row)
    except csv.Error as error:
        raise BadInputError("OUTCOME_FILE_UNREADABLE", line=table.line_num) from error
    return ReadFile(tuple(outcomes), tuple(faults))


def _decode(content: bytes) -> str:
    if len(content) > BYTES_MAX:
        raise BadInputError("OUTCOME_FILE_TOO_LARGE", bytes=len(content))
    encodings = (
        ("utf-16",) if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig", "cp1252")
    )
    for encoding in encodings:
        try:
            return content.decode(encoding).replace("\u00a0", " ").replace("\u202f", " ")
        except UnicodeDecodeError:
            continue
    raise BadInputError("OUTCOME_FILE_UNREADABLE", line=1)


def _delimiter(content: bytes) -> str:
    first = _decode(content).splitlines()[:1]
    return max(";\t,", key=first[0].count) if first else ";"


def _header(cells: list[str]) -> list[str]:
    names = [_COLUMNS.get(re.sub(r"[^a-z]", "", _clean(cell).lower()), "") for cell in cells]
    missing = [name for name in _REQUIRED if name not in names]
    if missing:
        raise BadInputError("OUTCOME_COLUMN_MISSING", columns=", ".join(missing))
    known = [name for name in names if name]
    if len(set(known)) != len(known):
        raise BadInputError("OUTCOME_COLUMN_TWICE")
    return names


def _clean(cell: str) -> str:
    text = cell.strip()
    guarded = _GUARD.fullmatch(text)
    return guarded.group(1).strip() if guarded else text


def _row(line: int, header: list[str], cells: list[str]) -> Outcome | RowFault | None:
    """One row, its fault, or None for an empty line."""
    texts = [_clean(cell) for cell in cells]
    if not any(texts):
        return None
    if any(texts[len(header) :]) or len(texts) < len(header):
        return RowFault(line, "OUTCOME_ROW_WIDTH")
    row = {name: text for name, text in zip(header, texts, strict=False) if name}
    fault = next(_faults(row), None)
    if fault is not None:
        return RowFault(line, *fault)
    return Outcome(
        line=line,
        end_to_end_id=row["end_to_end_id"],
        cents=_cents(row["amount"]) or 0,
        state=_STATES[row["state"].lower()],
        booked_on=_date(row["date"]) or date.min,
        reference=row.get("reference") or row["end_to_end_id"],
        reason=row.get("reason", ""),
    )


def _faults(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Code and the text that is wrong."""
    if not row["end_to_end_id"]:
        yield "OUTCOME_ID_MISSING", ""
    if not _cents(row["amount"]):
        yield "OUTCOME_AMOUNT_BAD", row["amount"]
    if row["state"].lower() not in _STATES:
        yield "OUTCOME_STATE_BAD", row["state"]
    if _date(row["date"]) is None:
        yield "OUTCOME_DATE_BAD", row["date"]
    if len(row.get("reason", "")) > _REASON_MAX:
        yield "OUTCOME_TEXT_LONG", row["reason"]
    if len(row.get("reference", "")) > _REFERENCE_MAX:
        yield "OUTCOME_TEXT_LONG", row["reference"]


def _cents(text: str) -> int | None:
    """Cents, or None for what is no amount or could be two."""
    bare = re.sub(r"^(?:EUR|€)\s*|\s*(?:EUR|€)$", "", text, flags=re.IGNORECASE)
    found = next(filter(None, (pattern.fullmatch(bare) for pattern in _AMOUNTS)), None)
    if found is None or not bare.isascii():
        return None
    return int(re.sub(r"\D", "", found[1])) * 100 + int((found[2] or "").ljust(2, "0"))


def _date(text: str) -> date | None:
    iso, italian = _ISO_DATE.fullmatch(text), _ITALIAN_DATE.fullmatch(text)
    try:
        if iso:
            return date(int(iso[1]), int(iso[2]), int(iso[3]))
        if italian:
            return date(int(italian[3]), int(italian[2]), int(italian[1]))
    except ValueError:
        return None
    return None
