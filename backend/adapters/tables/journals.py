"""What terminals uploaded: entries as received, quarantine, acknowledgements, intents."""

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.adapters.tables.base import Base, Key, Millis, Octets, Seconds, Word, one_of
from backend.domain.states import EntryVerdict
from backend.domain.verdicts import Closing

INTENT_STATES = [word for word in Closing if word is not Closing.MISSING]


class EntryRow(Base):
    """An entry in its place of a terminal's chain; ``complete`` are its bytes as received.

    ``verdict``: ``accepted``, or ``quarantined`` with ``reason`` when it is authentic and in
    its place, but says something that cannot be.
    """

    __tablename__ = "entry"
    __table_args__ = (
        one_of("verdict", EntryVerdict),
        Index("ix_entry_purse_ctr", "purse_id", "ctr"),
    )

    terminal: Mapped[int] = mapped_column(ForeignKey("terminal.number"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    type: Mapped[int] = mapped_column(BigInteger)
    complete: Mapped[Octets]
    wall_ms: Mapped[Millis]
    received_at: Mapped[Seconds]
    verdict: Mapped[Word]
    reason: Mapped[Word] = mapped_column(default="")
    purse_id: Mapped[int | None] = mapped_column(ForeignKey("purse.id"))
    ctr: Mapped[int | None]
    intent_seq: Mapped[int | None]
    """The intent that a closing entry closes."""


class QuarantineRow(Base):
    """Bytes that found no place in the chain, as received; ``released_at`` once they did."""

    __tablename__ = "quarantine"
    __table_args__ = (UniqueConstraint("terminal", "hash"),)

    id: Mapped[Key]
    terminal: Mapped[int] = mapped_column(ForeignKey("terminal.number"))
    seq: Mapped[int | None]
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    complete: Mapped[Octets]
    reason: Mapped[Word]
    received_at: Mapped[Seconds]
    released_at: Mapped[Seconds | None]


class AcknowledgementRow(Base):
    """What the backend signed about an upload; the terminal keeps it as evidence."""

    __tablename__ = "acknowledgement"

    id: Mapped[Key]
    terminal: Mapped[int] = mapped_column(ForeignKey("terminal.number"), index=True)
    complete: Mapped[Octets]
    server_time: Mapped[Seconds]


class IntentRow(Base):
    """An accepted intent: which record it announced, and what became of it."""

    __tablename__ = "intent"
    __table_args__ = (
        one_of("state", INTENT_STATES),
        Index("ix_intent_purse_ctr", "purse_id", "ctr"),
    )

    terminal: Mapped[int] = mapped_column(ForeignKey("terminal.number"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    purse_id: Mapped[int] = mapped_column(ForeignKey("purse.id"))
    ctr: Mapped[int]
    record_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    """SHA-256 of the record that it announced."""
    voided_seq: Mapped[int | None]
    state: Mapped[Word] = mapped_column(default=Closing.OPEN)
    closing_seq: Mapped[int | None]


OPEN = text("intent.state = 'open'")
"""Of an intent that no entry has closed; as the index says it, so that it serves."""
Index(
    "ix_intent_open",
    IntentRow.terminal,
    sqlite_where=text("state = 'open'"),
    postgresql_where=text("state = 'open'"),
)
UNRESOLVED = text("intent.state = 'unresolved'")
"""Of an intent that its till has parked; as the index says it, so that it serves."""
Index(
    "ix_intent_unresolved",
    IntentRow.purse_id,
    IntentRow.ctr,
    sqlite_where=text("state = 'unresolved'"),
    postgresql_where=text("state = 'unresolved'"),
)


class IntentLineRow(Base):
    """What one wallet pays in one category, as the intent says; cents above zero."""

    __tablename__ = "intent_line"

    terminal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    slot: Mapped[int]
    grant_seq: Mapped[int]
    grant_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    category: Mapped[int]
    cents: Mapped[int]
