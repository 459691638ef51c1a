"""Law 5 seen from the shop: what the server once acknowledged must be in the export.

An acknowledgement is signed by the operator and kept by the till as evidence.
The export brings the server's copies; a shop can hand in its own.
"""

from backend.verifier.decoder import cose
from backend.verifier.decoder.entries import LEDGER_HEAD
from backend.verifier.decoder.shapes import U24, Layout, octets, row, rows, text, uint
from backend.verifier.evidence.heads import ACKNOWLEDGEMENT, Heads
from backend.verifier.evidence.operator_documents import operator_document
from backend.verifier.export.reader import Row
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.registry import Registry
from backend.verifier.workbook import Workbook

_LAYOUT: Layout = {
    1: uint(U24), 2: uint(U24), 3: octets(32), 4: uint(), 5: uint(), 6: uint(),
    7: rows(row(uint(U24), octets(32), text("created", "exists", "quarantined"), text())),
}  # fmt: skip
_OPTIONAL: Layout = {8: LEDGER_HEAD}


class AcknowledgementAudit:
    """Checks acknowledgements against the entries that the chain audit noted."""

    def __init__(
        self, registry: Registry, heads: Heads, book: Workbook, findings: Findings, until: int
    ) -> None:
        """``until``: when the export was made; what was answered later may not be in it."""
        self._registry = registry
        self._heads = heads
        self._book = book
        self._findings = findings
        self._until = until

    def check(self, given: Row, *, by_shop: bool = False) -> None:
        """Judges one row of acknowledgements.jsonl, or one that a shop handed in."""
        place = Place(given.file, given.line, given["terminal"])
        fields = operator_document(
            given["bytes"], cose.AAD_ACKNOWLEDGEMENT, _LAYOUT, _OPTIONAL, self._registry
        )
        if fields is None or fields[1] != given["terminal"]:
            self._add("ACKNOWLEDGEMENT_BAD", place)
            return
        if fields[4] > self._until:
            self._findings.trust("EVIDENCE_NEWER")
            return
        if by_shop:
            self._heads.note(fields.get(8), ACKNOWLEDGEMENT, place, fields[4])
            self._heads.recoveries.hear(fields[6])
        else:
            self._heads.note(fields.get(8), ACKNOWLEDGEMENT, place)
            self._heads.recoveries.know(fields[4])
        if fields[2]:  # the end of the chain may be an entry that was set aside in its place
            self._accepted(fields[1], fields[2], fields[3], place, kept=False)
        for seq, digest, outcome, _ in fields[7]:
            if outcome != "quarantined":
                self._accepted(fields[1], seq, digest, place)
            elif not self._book.ask("SELECT 1 FROM entry WHERE hash = ? LIMIT 1", (digest,)):
                self._add("ACKNOWLEDGED_DROPPED", place, seq=seq)

    def _accepted(
        self, terminal: int, seq: int, digest: bytes, place: Place, *, kept: bool = True
    ) -> None:
        found = self._book.ask(
            "SELECT max(kept) FROM entry WHERE hash = ? AND terminal = ? AND seq = ?",
            (digest, terminal, seq),
        )
        if not found[0][0] and (kept or found[0][0] is None):
            self._add("ACKNOWLEDGED_MISSING", Place(place.file, place.line, terminal, seq), seq=seq)

    def _add(self, code: str, place: Place, **facts: str | int) -> None:
        self._findings.add(Law.CHAINED, code, place, **facts)
