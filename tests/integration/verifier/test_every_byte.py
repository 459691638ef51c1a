"""A small journal, each of its bytes flipped in turn: every one is found, at its entry."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.verifier.evidence.heads import Heads
from backend.verifier.evidence.recoveries import Recoveries
from backend.verifier.export import schema
from backend.verifier.export.reader import Export, Row
from backend.verifier.findings import Findings
from backend.verifier.journals.chain import ChainAudit
from backend.verifier.registry import Registry, read_registry
from backend.verifier.workbook import Workbook
from tests.integration.verifier.export_builder import bound

CODES = {"ENTRY_FORM", "ENTRY_SIGNATURE", "ENTRY_MISPLACED"}
SEQS = range(1, 5)
"""Grant seen, intent, sale, close: one of every kind that a day has."""
READ = schema.FILES["entries.jsonl"]


class InMemory(Export):
    """Rows of an export that never were in a file."""

    def __init__(self, rows: dict[str, list[dict[str, object]]], findings: Findings) -> None:
        super().__init__(Path(), findings)
        self._rows = rows

    def rows(self, name: str) -> Iterator[Row]:
        read = schema.FILES[name]
        for line, raw in enumerate(self._rows[name], start=1):
            yield Row(name, line, read(raw), raw)


@pytest.fixture(scope="module")
def journal() -> tuple[Registry, list[dict[str, object]]]:
    files = bound()[0]
    book, findings = Workbook(), Findings()
    registry = read_registry(InMemory(files, findings), book, findings)
    book.close()
    rows = [row for row in files["entries.jsonl"] if row["terminal"] == 501]
    return registry, rows[: max(SEQS) + 1]


def judged(registry: Registry, rows: list[dict[str, object]], book: Workbook) -> Findings:
    findings = Findings()
    heads = Heads(book, findings, Recoveries((), book, findings))
    ChainAudit(registry, heads, book, findings).walk(InMemory({"entries.jsonl": rows}, findings))
    return findings


@pytest.mark.parametrize("seq", SEQS)
def test_every_byte_of_an_entry_counts(
    journal: tuple[Registry, list[dict[str, object]]], seq: int
) -> None:
    registry, rows = journal
    octets = bytearray.fromhex(str(rows[seq - 1]["bytes"]))
    book = Workbook()
    assert not len(judged(registry, rows, book))
    for at in range(len(octets)):
        octets[at] ^= 1 << at % 8
        spoilt = [*rows[: seq - 1], rows[seq - 1] | {"bytes": octets.hex()}, rows[seq]]
        found = [(item.code, item.place.seq) for item in judged(registry, spoilt, book)]
        octets[at] ^= 1 << at % 8
        assert any(code in CODES and place == seq for code, place in found), (seq, at)
        assert ("ENTRY_UNCHAINED", seq + 1) in found, (seq, at)
    book.close()
