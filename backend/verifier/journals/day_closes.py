"""Law 5 at the end of a till's day: what a batch close says is what the journal shows."""

from dataclasses import dataclass, field

from backend.verifier.decoder import entries
from backend.verifier.decoder.entries import Entry
from backend.verifier.evidence.heads import Heads
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.workbook import Workbook


@dataclass(slots=True)
class _Batch:
    """The open batch of one terminal as far as its entries were believed."""

    number: int | None = 1
    first: int = 1
    sums: dict[int, list[int]] = field(default_factory=lambda: {1: [0, 0], 2: [0, 0]})
    whole: bool = True


class DayCloses:
    """Follows the journals beside the chain audit, entry by entry."""

    def __init__(self, book: Workbook, heads: Heads, findings: Findings) -> None:
        self._book = book
        self._heads = heads
        self._findings = findings
        self._batches: dict[int, _Batch] = {}
        self._heard: dict[int, int] = {}
        """The highest version of hotlist or watermarks that each till has signed."""

    def miss(self, terminal: int) -> None:
        """An entry of this journal is not shown, or not believed: its batch cannot be added up."""
        batch = self._batches.setdefault(terminal, _Batch())
        batch.whole, batch.number = False, None

    def take(self, entry: Entry, place: Place, received_at: int | None) -> None:
        """The next believed entry; the intents before it are in the workbook."""
        heard = max(self._heard.get(entry.terminal, 0), entry.fields[12], entry.fields[13])
        self._heard[entry.terminal] = heard
        self._heads.recoveries.hear(heard)
        if entry.type == entries.BATCH_CLOSE:
            self._heads.note_close(entry.fields.get(65), place, received_at, heard)
        batch = self._batches.setdefault(entry.terminal, _Batch())
        number = entry.fields[15]
        if batch.number is not None and number != batch.number:
            self._add("BATCH_OTHER", place, batch=number, wanted=batch.number)
        batch.number = number
        if 40 in entry.fields:
            self._check_void(entry)
        if entry.type in entries.COMMITTING:
            self._count(entry, batch)
        elif entry.type == entries.BATCH_CLOSE:
            self._close(entry, batch, place)

    def _count(self, entry: Entry, batch: _Batch) -> None:
        found = self._book.ask(
            "SELECT bytes FROM intent WHERE terminal = ? AND seq = ?",
            (entry.terminal, entry.fields[48]),
        )
        if not found:
            batch.whole = False
            return
        intent = entries.read_intent(found[0][0])
        sums = batch.sums[intent.kind]
        sums[0] += 1
        sums[1] += sum(line.cents for line in intent.lines)

    def _check_void(self, entry: Entry) -> None:
        """A sale of a closed day is returned, not voided; that the till did is worth a look."""
        for (complete,) in self._book.ask(
            "SELECT bytes FROM intent WHERE terminal = ? AND seq = ?",
            (entry.terminal, entry.fields[40][0]),
        ):
            if entries.read(complete).fields[15] != entry.fields[15]:
                self._findings.trust("VOID_AFTER_CLOSE")

    def _close(self, entry: Entry, batch: _Batch, place: Place) -> None:
        first, last = entry.fields[62]
        if last != entry.seq - 1 or (batch.whole and first != batch.first):
            self._add("CLOSE_RANGE_OTHER", place, first=first, last=last)
        told = {kind: [count, cents] for kind, count, cents in entry.fields[63]}
        if not batch.whole:
            self._findings.trust("CLOSE_NOT_ADDED_UP")
        elif told != batch.sums:
            sales, voids = batch.sums[1][1], batch.sums[2][1]
            self._add("CLOSE_SUMS_OTHER", place, sales=sales, voids=voids)
        self._batches[entry.terminal] = _Batch(entry.fields[15] + 1, entry.seq + 1)

    def _add(self, code: str, place: Place, **facts: str | int) -> None:
        self._findings.add(Law.CHAINED, code, place, **facts)
