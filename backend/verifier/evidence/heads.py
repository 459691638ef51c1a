"""Ledger heads that somebody signed, against the ledger that was exported.

A ledger that is rewritten from its start, with every hash made anew, is consistent in
itself. It no longer holds the heads that the operator signed into acknowledgements and
statements, and that tills signed into their day's close.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from backend.verifier.evidence.recoveries import Recoveries, Recovery
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.workbook import Workbook

ACKNOWLEDGEMENT, CLOSE, STATEMENT = "acknowledgement", "close", "statement"
SOURCES = (ACKNOWLEDGEMENT, STATEMENT, CLOSE)
_OF_OPERATOR = frozenset({ACKNOWLEDGEMENT, STATEMENT})


@dataclass(slots=True)
class Heads:
    """Collects named heads while the documents are read, and judges them after the ledger was."""

    book: Workbook
    findings: Findings
    recoveries: Recoveries
    held: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """By kind of document, the highest head of it that stands on the exported chain."""

    def note(self, head: Any, source: str, place: Place, at: int | None = None) -> None:
        """``head``: ``[transfer, hash]`` as the document ``source`` has it; None: it names none.

        ``at``: when a document that somebody kept was signed. None for one that the books
        themselves hold: a copy that has the document has the transfers that it names.
        """
        self._note(head, source, place, at, None, 0)

    def note_close(self, head: Any, place: Place, received_at: int | None, heard: int) -> None:
        """The head in a till's close; see :meth:`Recoveries.lacking_close`."""
        self._note(head, CLOSE, place, None, received_at, heard)

    def _note(
        self, head: Any, source: str, place: Place, at: int | None, received_at: int | None,
        heard: int,
    ) -> None:  # fmt: skip
        if head is not None:
            self.book.note(
                "head", head[0], head[1], source, place.file, place.line, place.terminal,
                place.seq, at, received_at, heard,
            )  # fmt: skip

    def check(self) -> None:
        """Every noted head: the transfer of that number has that hash."""
        rows: Iterable[tuple[Any, ...]] = self.book.ask(
            "SELECT number, head.hash, source, file, head.line, terminal, seq, at, received, heard,"
            " transfer.hash"
            " FROM head LEFT JOIN transfer ON transfer.id = number ORDER BY number"
        )
        for number, digest, source, file, line, terminal, seq, *signed, found in rows:
            if digest == (bytes(32) if number == 0 else found):
                self.held[source] = (number, digest)
                continue
            recovery = self._forgotten_by(number, source, *signed)
            if recovery is not None:
                self.findings.trust("HEAD_BEFORE_RECOVERY", about=recovery.label)
                continue
            place = Place(file, line, terminal, seq)
            code = "LEDGER_REWRITTEN" if source in _OF_OPERATOR else "CLOSE_HEAD_OTHER"
            self.findings.add(Law.CONSERVATION, code, place, transfer=number)
        self.recoveries.check()

    def _forgotten_by(
        self, number: int, source: str, at: int | None, received_at: int | None, heard: int
    ) -> Recovery | None:
        if source == CLOSE:
            return self.recoveries.lacking_close(number, received_at, heard)
        return None if at is None else self.recoveries.lacking_head(number, at)
