"""Ledger heads that somebody signed, against the ledger that was exported.

A ledger that is rewritten from its start, with every hash made anew, is consistent in
itself. It no longer holds the heads that the operator signed into acknowledgements and
statements, and that tills signed into their day's close.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

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
    recoveries: tuple[int, ...] = ()
    """When the operator declared that an older copy of the books was put back."""
    held: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """By kind of document, the highest head of it that stands on the exported chain."""

    def note(self, head: Any, source: str, place: Place, at: int) -> None:
        """``head``: ``[transfer, hash]`` as the document ``source`` has it; None: it names none.

        ``at``: when the document was signed; 0 where that says nothing of the head's age.
        """
        if head is not None:
            self.book.note(
                "head", head[0], head[1], source, place.file, place.line, place.terminal,
                place.seq, at,
            )  # fmt: skip

    def forgotten_since(self, at: int) -> bool:
        """Whether a restored copy may have forgotten what was so at the time ``at``."""
        return any(at <= begun for begun in self.recoveries)

    def check(self) -> None:
        """Every noted head: the transfer of that number has that hash."""
        rows: Iterable[tuple[Any, ...]] = self.book.ask(
            "SELECT number, head.hash, source, file, head.line, terminal, seq, at, transfer.hash"
            " FROM head LEFT JOIN transfer ON transfer.id = number ORDER BY number"
        )
        for number, digest, source, file, line, terminal, seq, at, found in rows:
            if digest == (bytes(32) if number == 0 else found):
                self.held[source] = (number, digest)
                continue
            if self._is_forgotten(number, at):
                self.findings.trust("HEAD_BEFORE_RECOVERY")
                continue
            place = Place(file, line, terminal, seq)
            code = "LEDGER_REWRITTEN" if source in _OF_OPERATOR else "CLOSE_HEAD_OTHER"
            self.findings.add(Law.CONSERVATION, code, place, transfer=number)

    def _is_forgotten(self, number: int, at: int) -> bool:
        """A declared recovery explains a head above what was booked before it, and no other."""
        return any(
            at <= begun
            and number
            > self.book.ask(
                "SELECT coalesce(max(id), 0) FROM transfer WHERE booked_at < ?", (begun,)
            )[0][0]
            for begun in self.recoveries
        )
