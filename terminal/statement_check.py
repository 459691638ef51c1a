"""A merchant's look at a statement: is it the operator's, does it hold what this till knows.

Nothing here asks the backend. What the till's own journal does not know (another till's
sales) is counted and said.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cardlib.errors import MalformedError
from cardlib.wire.entry_body import Committed, Intent
from cardlib.wire.merkle import root_by_path
from cardlib.wire.statement import DayRoot, Statement
from terminal.errors import TillError
from terminal.journal.journal import JournalReader
from terminal.journal.views import StoredEntry
from terminal.till import Till

_WHAT = "statement file"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not agree; ``code`` has its sentence."""

    code: str
    seq: int


@dataclass(frozen=True, slots=True)
class Checked:
    """``own``: lines of this till; ``others``: of the merchant's other tills, not looked into.

    ``included``: lines that were found in the tree of their day.
    """

    statement: Statement
    own: int
    others: int
    included: int
    faults: tuple[Fault, ...]


def check_statement(till: Till, reader: JournalReader, path: Path) -> Checked:
    """Verifies and compares a file; AuthenticityError unless the operator signed it."""
    return compare_statement(till, reader, _read(path))


def compare_statement(till: Till, reader: JournalReader, row: Mapping[str, object]) -> Checked:
    """The same for what a statement file holds."""
    statement = Statement.open(_octets(row.get("bytes")), till.operator)
    if statement.merchant != till.certificate.merchant:
        raise TillError("STATEMENT_OTHER_MERCHANT", merchant=statement.merchant)
    own = [line for line in statement.lines if line.terminal == till.certificate.terminal]
    faults = [*_foreign(statement, till, reader), *_missing(statement, till, reader)]
    included, wrong = _inclusions(row.get("inclusions"), statement)
    return Checked(
        statement, len(own), len(statement.lines) - len(own), included, (*faults, *wrong)
    )


def _foreign(statement: Statement, till: Till, reader: JournalReader) -> list[Fault]:
    """Lines and journal head that are not this till's own entries."""
    number = till.certificate.terminal
    told = [(line.seq, line.hash) for line in statement.lines if line.terminal == number]
    heads = [(item.seq, item.hash) for item in statement.journals if item.terminal == number]
    return [
        Fault("STATEMENT_LINE_FOREIGN", seq)
        for seq, digest in told + heads
        if _hash_at(reader, seq) != digest
    ]


def _missing(statement: Statement, till: Till, reader: JournalReader) -> list[Fault]:
    """Sales of the period that the backend holds, by its journal head, and does not state."""
    number = till.certificate.terminal
    high = max((item.seq for item in statement.journals if item.terminal == number), default=0)
    stated = {line.seq for line in statement.lines if line.terminal == number}
    return [
        Fault("STATEMENT_LINE_MISSING", stored.seq)
        for stored in reader.views.entries(0, high)
        if stored.seq not in stated and _sold_within(stored, statement, reader)
    ]


def _sold_within(stored: StoredEntry, statement: Statement, reader: JournalReader) -> bool:
    body = stored.decode().body
    if not isinstance(body, Committed):
        return False
    intent = reader.views.entry(body.intent_seq).decode().body
    assert isinstance(intent, Intent)
    return statement.time_from <= intent.plan.time < statement.time_to


def _inclusions(rows: object, statement: Statement) -> tuple[int, list[Fault]]:
    days = {day.start: day for day in statement.days}
    hashes = {(int(line.terminal), int(line.seq)): line.hash for line in statement.lines}
    included, faults = 0, []
    for row in rows if isinstance(rows, list) else []:
        try:
            good = _is_included(row, days, hashes)
            seq = int(row["seq"])
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedError(_WHAT, "inclusion") from error
        included += good
        if not good:
            faults.append(Fault("STATEMENT_NOT_INCLUDED", seq))
    return included, faults


def _is_included(
    row: dict[str, object], days: dict[int, DayRoot], hashes: dict[tuple[int, int], bytes]
) -> bool:
    day, path = days.get(int(str(row["day"]))), row["path"]
    digest = hashes.get((int(str(row["terminal"])), int(str(row["seq"]))))
    if day is None or digest is None or not isinstance(path, list):
        return False
    steps = [bytes.fromhex(step) for step in path]
    return root_by_path(digest, int(str(row["index"])), day.size, steps) == day.root


def _hash_at(reader: JournalReader, seq: int) -> bytes | None:
    found = list(reader.views.entries(seq - 1, 1))
    return found[0].hash if found and found[0].seq == seq else None


def _read(path: Path) -> dict[str, object]:
    try:
        row = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise MalformedError(_WHAT, "no JSON") from error
    if not isinstance(row, dict):
        raise MalformedError(_WHAT, "an object")
    return row


def _octets(value: object) -> bytes:
    try:
        return bytes.fromhex(str(value))
    except ValueError as error:
        raise MalformedError(_WHAT, "bytes") from error
