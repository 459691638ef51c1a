"""Uploaded entries, quarantine, acknowledgements, intents."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from sqlalchemy import bindparam, func, select, tuple_
from sqlalchemy.orm import Session

from backend.adapters.repositories.parts import PART, in_parts
from backend.adapters.repositories.seen import Seen
from backend.adapters.tables.journals import (
    OPEN,
    AcknowledgementRow,
    EntryRow,
    IntentLineRow,
    IntentRow,
    QuarantineRow,
)
from backend.adapters.tables.terminals import TerminalRow
from backend.domain.verdicts import Closing

Place = tuple[int, int]
"""A terminal and a number in its journal."""
_OPEN_OF = select(IntentRow).where(IntentRow.terminal == bindparam("terminal"), OPEN)
_ANNOUNCED_ON = (
    select(IntentRow)
    .where(IntentRow.purse_id == bindparam("purse_id"))
    .where(IntentRow.ctr.in_(bindparam("ctrs", expanding=True)))
    .where(IntentRow.state != Closing.COMMITTED)
    .order_by(IntentRow.terminal, IntentRow.seq)
)


class Journals:
    """What terminals sent, as received."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._entries = Seen[Place, EntryRow](session, lambda row: (row.terminal, row.seq))
        self._intents = Seen[Place, IntentRow](session, lambda row: (row.terminal, row.seq))
        self._astray = Seen[tuple[int, bytes], QuarantineRow](
            session, lambda row: (row.terminal, row.hash)
        )
        self._lines: dict[Place, list[IntentLineRow]] = {}
        self._open_of: set[int] = set()
        """Terminals of which every open intent is at hand."""

    def note(self, row: object) -> None:
        """``row`` is being stored by this unit."""
        match row:
            case EntryRow():
                self._entries.note(row)
            case QuarantineRow():
                self._astray.note(row)
            case IntentRow():
                self._intents.note(row)
                self._lines[row.terminal, row.seq] = []
            case IntentLineRow() if (row.terminal, row.seq) in self._lines:
                self._lines[row.terminal, row.seq].append(row)

    def fetch_uploaded(
        self, terminal: int, seqs: Collection[int], hashes: Collection[bytes]
    ) -> None:
        """Looks up what is known of these numbers and bytes of one terminal, in one go each."""
        self._entries.fetch(
            [(terminal, seq) for seq in seqs],
            lambda places: self._session.scalars(
                select(EntryRow).where(
                    EntryRow.terminal == terminal, EntryRow.seq.in_([seq for _, seq in places])
                )
            ),
        )
        self._astray.fetch(
            [(terminal, digest) for digest in hashes],
            lambda keys: self._session.scalars(
                select(QuarantineRow).where(
                    QuarantineRow.terminal == terminal,
                    QuarantineRow.hash.in_([digest for _, digest in keys]),
                )
            ),
        )

    def fetch_entries(self, places: Iterable[Place]) -> None:
        """Looks up entries, in one go."""
        self._entries.fetch(
            places,
            lambda missing: self._session.scalars(
                select(EntryRow).where(tuple_(EntryRow.terminal, EntryRow.seq).in_(missing))
            ),
        )

    def fetch_intents(self, places: Iterable[Place]) -> None:
        """Looks up intents with their lines, in one go each."""
        places = list(places)
        self._intents.fetch(
            places,
            lambda missing: self._session.scalars(
                select(IntentRow).where(tuple_(IntentRow.terminal, IntentRow.seq).in_(missing))
            ),
        )
        missing = [place for place in dict.fromkeys(places) if place not in self._lines]
        if not missing:
            return
        self._lines.update((place, []) for place in missing)
        for line in self._session.scalars(
            select(IntentLineRow)
            .where(tuple_(IntentLineRow.terminal, IntentLineRow.seq).in_(missing))
            .order_by(IntentLineRow.terminal, IntentLineRow.seq, IntentLineRow.ordinal)
        ):
            self._lines[line.terminal, line.seq].append(line)

    def entry(self, terminal: int, seq: int) -> EntryRow | None:
        """The entry in that place of the chain."""
        place = terminal, seq
        return self._entries.find(place, lambda: self._session.get(EntryRow, place))

    def entry_hashes(self, terminal: int, seqs: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """Numbers and hashes of those of these entries that are there."""
        for part in in_parts(seqs):
            rows = self._session.execute(
                select(EntryRow.seq, EntryRow.hash).where(
                    EntryRow.terminal == terminal, EntryRow.seq.in_(part)
                )
            )
            yield from ((seq, digest) for seq, digest in rows)

    def entries(self, terminal: int) -> Iterator[Sequence[EntryRow]]:
        """The chain of a terminal, in order, a part at a time."""
        query = select(EntryRow).where(EntryRow.terminal == terminal).order_by(EntryRow.seq)
        return self._session.scalars(query.execution_options(yield_per=PART)).partitions()

    def received(self, time_from: int, time_to: int) -> Sequence[tuple[int, int, bytes, int]]:
        """Terminal, number, hash and time of entries received in [from, to), training left out."""
        rows = self._session.execute(
            select(EntryRow.terminal, EntryRow.seq, EntryRow.hash, EntryRow.received_at)
            .join(TerminalRow, TerminalRow.number == EntryRow.terminal)
            .where(EntryRow.received_at >= time_from, EntryRow.received_at < time_to)
            .where(TerminalRow.training.is_(False))
        )
        return [(terminal, seq, digest, at) for terminal, seq, digest, at in rows]

    def quarantined(self, terminal: int, digest: bytes) -> QuarantineRow | None:
        """Bytes that were kept without a place."""
        return self._astray.find(
            (terminal, digest),
            lambda: self._session.scalar(
                select(QuarantineRow).where(
                    QuarantineRow.terminal == terminal, QuarantineRow.hash == digest
                )
            ),
        )

    def quarantine(self) -> Sequence[QuarantineRow]:
        """Everything that was kept without a place, oldest first."""
        return self._session.scalars(select(QuarantineRow).order_by(QuarantineRow.id)).all()

    def acknowledgements(self) -> Iterable[AcknowledgementRow]:
        """All, oldest first, a part at a time."""
        query = select(AcknowledgementRow).order_by(AcknowledgementRow.id)
        return self._session.scalars(query.execution_options(yield_per=PART))

    def intent(self, terminal: int, seq: int) -> IntentRow | None:
        """An accepted intent."""
        place = terminal, seq
        return self._intents.find(place, lambda: self._session.get(IntentRow, place))

    def intent_lines(self, terminal: int, seq: int) -> Sequence[IntentLineRow]:
        """The lines of an intent, in its order."""
        self.fetch_intents([(terminal, seq)])
        return self._lines[terminal, seq]

    def announced_on(self, purse_id: int, ctrs: Collection[int]) -> dict[int, list[IntentRow]]:
        """Intents for records of a purse whose tills have not told of a debit, by counter."""
        found: dict[int, list[IntentRow]] = {}
        for row in self._session.scalars(_ANNOUNCED_ON, {"purse_id": purse_id, "ctrs": ctrs}):
            found.setdefault(row.ctr, []).append(row)
        return found

    def announced(self, terminal: int) -> tuple[int, int]:
        """How many debits a terminal has announced, voids among them, and their cents."""
        debits = self._session.scalar(
            select(func.count()).select_from(IntentRow).where(IntentRow.terminal == terminal)
        )
        cents = self._session.scalar(
            select(func.sum(IntentLineRow.cents))
            .join(
                IntentRow,
                (IntentRow.terminal == IntentLineRow.terminal)
                & (IntentRow.seq == IntentLineRow.seq),
            )
            .where(IntentRow.terminal == terminal)
        )
        return debits or 0, cents or 0

    def has_open_intent(self, terminal: int) -> bool:
        """Whether there is an intent of a terminal that no entry has closed."""
        if terminal not in self._open_of:
            self._open_of.add(terminal)
            with self._session.no_autoflush:  # what this unit has stored is at hand
                for row in self._session.scalars(_OPEN_OF, {"terminal": terminal}):
                    self._intents.note(row)
        known = self._intents.rows()
        return any(row.terminal == terminal and row.state == Closing.OPEN for row in known)
