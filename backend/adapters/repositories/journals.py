"""Uploaded entries, quarantine, acknowledgements, intents."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.adapters.tables.journals import (
    AcknowledgementRow,
    EntryRow,
    IntentLineRow,
    IntentRow,
    QuarantineRow,
)
from backend.adapters.tables.terminals import TerminalRow


class Journals:
    """What terminals sent, as received."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def entry(self, terminal: int, seq: int) -> EntryRow | None:
        """The entry in that place of the chain."""
        return self._session.get(EntryRow, (terminal, seq))

    def entries(self, terminal: int) -> Sequence[EntryRow]:
        """The chain of a terminal, in order."""
        return self._session.scalars(
            select(EntryRow).where(EntryRow.terminal == terminal).order_by(EntryRow.seq)
        ).all()

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
        return self._session.scalar(
            select(QuarantineRow).where(
                QuarantineRow.terminal == terminal, QuarantineRow.hash == digest
            )
        )

    def quarantine(self) -> Sequence[QuarantineRow]:
        """Everything that was kept without a place, oldest first."""
        return self._session.scalars(select(QuarantineRow).order_by(QuarantineRow.id)).all()

    def acknowledgements(self) -> Sequence[AcknowledgementRow]:
        """All, oldest first."""
        return self._session.scalars(
            select(AcknowledgementRow).order_by(AcknowledgementRow.id)
        ).all()

    def intent(self, terminal: int, seq: int) -> IntentRow | None:
        """An accepted intent."""
        return self._session.get(IntentRow, (terminal, seq))

    def intent_lines(self, terminal: int, seq: int) -> Sequence[IntentLineRow]:
        """The lines of an intent, in its order."""
        return self._session.scalars(
            select(IntentLineRow)
            .where(IntentLineRow.terminal == terminal, IntentLineRow.seq == seq)
            .order_by(IntentLineRow.ordinal)
        ).all()

    def intents_of_purse(self, purse_id: int, from_ctr: int) -> Sequence[IntentRow]:
        """Accepted intents on a purse from counter ``from_ctr`` on, by counter."""
        return self._session.scalars(
            select(IntentRow)
            .where(IntentRow.purse_id == purse_id, IntentRow.ctr >= from_ctr)
            .order_by(IntentRow.ctr, IntentRow.terminal, IntentRow.seq)
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

    def open_intents(self, terminal: int) -> Sequence[IntentRow]:
        """Intents of a terminal that no entry has closed."""
        return self._session.scalars(
            select(IntentRow).where(IntentRow.terminal == terminal, IntentRow.state == "open")
        ).all()
