"""Completeness seen from the merchant: what the operator once stated must be in the export.

A statement is signed by the operator and kept by the merchant. Its entries, its journal
heads, the trees over the days' entries and the ledger head bind the books from outside.
"""

from hashlib import sha256
from typing import Any

from backend.verifier.decoder import cose, merkle
from backend.verifier.decoder.entries import LEDGER_HEAD
from backend.verifier.decoder.shapes import U24, Layout, octets, row, rows, text, uint
from backend.verifier.evidence.heads import STATEMENT, Heads
from backend.verifier.evidence.operator_documents import operator_document
from backend.verifier.export.civil_days import day_of, midnight_after
from backend.verifier.export.reader import Export, Row
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.ledger.ledger import NO_HASH
from backend.verifier.registry import Registry
from backend.verifier.workbook import Workbook

_KINDS = 2
_NEVER = 1 << 53
_LINE = row(
    uint(U24), uint(U24), octets(32), uint(_KINDS, 1), uint(), text("proven", "open", "unproven")
)
_LAYOUT: Layout = {
    1: uint(), 2: text(), 3: text(), 4: uint(), 5: row(uint(), uint()), 6: rows(_LINE),
    7: rows(row(uint(U24), uint(U24), octets(32))), 8: rows(row(uint(), uint(), octets(32))),
    9: LEDGER_HEAD,
}  # fmt: skip


class StatementAudit:
    """Checks kept statements; every entry and every posting was noted before."""

    def __init__(
        self, registry: Registry, heads: Heads, book: Workbook, findings: Findings, until: int
    ) -> None:
        """``until``: when the export was made; what was stated later may not be in it."""
        self._registry = registry
        self._heads = heads
        self._book = book
        self._findings = findings
        self._until = until
        self._listed: set[bytes] = set()
        self._first = _NEVER

    def read_given(self, export: Export) -> None:
        """What the books say was given: each names a head that the ledger still has."""
        for given in export.rows("given_statements.jsonl"):
            self._listed.add(given["hash"])
            self._first = min(self._first, given["issued_at"])
            self._heads.recoveries.know(given["issued_at"])
            number, digest = given["ledger_head"]["transfer"], given["ledger_head"]["hash"]
            found = self._book.ask("SELECT hash FROM transfer WHERE id = ?", (number,))
            held = found[0][0] if found else NO_HASH
            if held != digest:
                place = given.place(f"statement {given['given']}")
                self._findings.add(Law.CHAINED, "GIVEN_HEAD_OTHER", place, transfer=number)

    def check(self, given: Row) -> None:
        """Judges one statement."""
        place = Place(given.file, given.line)
        fields = self._open(given)
        if fields is None:
            self._findings.add(Law.CHAINED, "STATEMENT_BAD", place)
            return
        if fields[4] > self._until:
            self._findings.trust("EVIDENCE_NEWER")
            return
        self._check_listed(given["bytes"], fields[4], place)
        for line in fields[6]:
            self._line(line, place)
        for terminal, seq, digest in fields[7]:
            self._stands(terminal, seq, digest, place)
        recovery = self._heads.recoveries.lacking(fields[4])
        for start, size, root in fields[8]:
            if recovery is not None and midnight_after(day_of(start)) > recovery.known:
                self._findings.trust("DAY_BEFORE_RECOVERY", about=recovery.label)
            else:
                self._day(start, size, root, place)
        self._heads.note(fields[9], STATEMENT, place, fields[4])

    def _check_listed(self, complete: bytes, issued_at: int, place: Place) -> None:
        """Since the first that is listed, every statement is."""
        later = issued_at >= self._first and self._heads.recoveries.lacking(issued_at) is None
        if later and sha256(complete).digest() not in self._listed:
            self._findings.add(Law.CHAINED, "STATEMENT_NOT_LISTED", place)

    def _open(self, given: Row) -> dict[int, Any] | None:
        fields = operator_document(given["bytes"], cose.AAD_STATEMENT, _LAYOUT, {}, self._registry)
        named = fields is not None and str(fields[1]) == given["merchant"]
        return fields if named else None

    def _line(self, line: list[Any], place: Place) -> None:
        terminal, seq, digest, kind, cents, standing = line
        if not self._stands(terminal, seq, digest, place, kept=True):
            return
        if self._is_hidden(terminal, seq):
            where = Place(place.file, place.line, terminal, seq)
            self._findings.add(Law.CHAINED, "STATED_NOT_SHOWN", where, seq=seq)
            return
        if self._is_of_others(terminal, seq):
            return
        found = self._book.ask(
            "SELECT cents, live, amount_open FROM worth WHERE terminal = ? AND seq = ?",
            (terminal, seq),
        )
        if standing != "proven":
            return
        if found and not found[0][1]:
            self._findings.trust("STATED_LINE_DEAD")
            return
        wanted = -cents if kind == _KINDS else cents
        if not found or found[0][2] or found[0][0] != wanted:
            where = Place(place.file, place.line, terminal, seq)
            booked = found[0][0] if found else 0
            self._findings.add(
                Law.CONSERVATION, "STATED_OTHERWISE", where, seq=seq, stated=wanted, booked=booked
            )

    def _is_of_others(self, terminal: int, seq: int) -> bool:
        """Whether a shop's own entry shows that the line is of another municipality."""
        query = "SELECT 1 FROM of_others WHERE terminal = ? AND seq = ?"
        return bool(self._book.ask(query, (terminal, seq)))

    def _is_hidden(self, terminal: int, seq: int) -> bool:
        """Whether only the entry's hash is here, and nothing tells whose it is."""
        query = "SELECT max(shown) FROM entry WHERE terminal = ? AND seq = ?"
        shown = self._book.ask(query, (terminal, seq))[0][0]
        return not shown and not self._is_of_others(terminal, seq)

    def _stands(
        self, terminal: int, seq: int, digest: bytes, place: Place, *, kept: bool = False
    ) -> bool:
        """Whether the entry is in the export, accepted where that is asked (``kept``)."""
        found = self._book.ask(
            "SELECT max(kept) FROM entry WHERE hash = ? AND terminal = ? AND seq = ?",
            (digest, terminal, seq),
        )[0][0]
        if found or (found is not None and not kept):
            return True
        where = Place(place.file, place.line, terminal, seq)
        self._findings.add(Law.CHAINED, "STATED_MISSING", where, seq=seq)
        return False

    def _day(self, start: int, size: int, root: bytes, place: Place) -> None:
        """The tree over the entries that the export says were received on that day."""
        received = self._book.ask(
            "SELECT hash FROM entry WHERE received >= ? AND received < ? ORDER BY terminal, seq",
            (start, midnight_after(day_of(start))),
        )
        leaves = [digest for (digest,) in received]
        if len(leaves) != size or merkle.root_of(leaves) != root:
            day = day_of(start).isoformat()
            self._findings.add(
                Law.CHAINED, "STATED_DAY_OTHER", place, day=day, stated=size, found=len(leaves)
            )
