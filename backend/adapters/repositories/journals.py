"""Uploaded entries, quarantine, acknowledgements, intents."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from backend.adapters.repositories.parts import PART
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

Place = tuple[int, int]
"""A terminal and a number in its journal."""


class Journals:
    """What terminals sent, as received."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._entries = Seen[Place, EntryRow](EntryRow, lambda row: (row.terminal, row.seq))
        self._intents = Seen[Place, IntentRow](IntentRow, lambda row: (row.terminal, row.seq))
        self._astray = Seen[tuple[int, bytes], QuarantineRow](
            QuarantineRow, lambda row: (row.terminal, row.hash)
        )
        self._lines: dict[Place, list[IntentLineRow]] = {}

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

    def announced_on(self, purse_id: int, ctr: int) -> Sequence[IntentRow]:
        """Intents for record ``ctr`` of a purse whose tills have not told of a debit."""
        return self._session.scalars(
            select(IntentRow)
            .where(IntentRow.purse_id == purse_id, IntentRow.ctr == ctr)
            .where(IntentRow.state != "committed")
            .order_by(IntentRow.terminal, IntentRow.seq)
        ).all()

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
        found = select(IntentRow.seq).where(IntentRow.terminal == terminal, OPEN)
        return self._session.scalar(found.limit(1)) is not None
