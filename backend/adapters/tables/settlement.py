"""Settlement batches, their lines, payments, and the outcome files of the bank."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.adapters.tables.base import Base, Cents, Key, Octets, Seconds, Word, one_of

BATCH_STATES = ("created", "sent", "under_review", "approved", "in_payment", "paid", "failed")
LINE_STATES = ("included", "suspended", "rejected", "postponed")
PAYMENT_STATES = ("created", "sent", "paid", "failed")


class SettlementBatchRow(Base):
    """What a municipality is to pay a merchant for a period.

    The period in Unix seconds, from inclusive, to exclusive.
    """

    __tablename__ = "settlement_batch"
    __table_args__ = (
        one_of("state", BATCH_STATES),
        UniqueConstraint("municipality_id", "merchant_id", "period_from", "period_to"),
    )

    id: Mapped[Key]
    municipality_id: Mapped[int] = mapped_column(ForeignKey("municipality.id"))
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    period_from: Mapped[Seconds]
    period_to: Mapped[Seconds]
    state: Mapped[Word] = mapped_column(default="created")
    total_cents: Mapped[Cents]
    created_by: Mapped[str]
    created_at: Mapped[Seconds]
    approved_by: Mapped[str | None]
    approved_at: Mapped[Seconds | None]

    lines: Mapped[list["BatchLineRow"]] = relationship(
        lazy="selectin", order_by="BatchLineRow.id", back_populates="batch"
    )


class BatchLineRow(Base):
    """A posting in a batch; negative for a void.

    A failed payment spawns linked lines: ``replaces_id`` names the line of the failed batch.
    """

    __tablename__ = "batch_line"
    __table_args__ = (
        one_of("state", LINE_STATES),
        CheckConstraint("cents <> 0", name="cents"),
        UniqueConstraint("batch_id", "posting_id"),
        Index("ix_batch_line_posting", "posting_id"),
    )

    id: Mapped[Key]
    batch_id: Mapped[int] = mapped_column(ForeignKey("settlement_batch.id"))
    posting_id: Mapped[int] = mapped_column(ForeignKey("posting.id"))
    cents: Mapped[Cents]
    state: Mapped[Word] = mapped_column(default="included")
    reason: Mapped[Word] = mapped_column(default="")
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("batch_line.id"), unique=True)

    batch: Mapped[SettlementBatchRow] = relationship(back_populates="lines")


class PaymentRow(Base):
    """One credit transfer; name and IBAN as they stood when it was made."""

    __tablename__ = "payment"
    __table_args__ = (
        one_of("state", PAYMENT_STATES),
        CheckConstraint("cents > 0", name="cents"),
    )

    id: Mapped[Key]
    batch_id: Mapped[int] = mapped_column(ForeignKey("settlement_batch.id"))
    end_to_end_id: Mapped[str] = mapped_column(String(35), unique=True)
    name: Mapped[str]
    iban: Mapped[str]
    cents: Mapped[Cents]
    state: Mapped[Word] = mapped_column(default="created")
    outcome_ref: Mapped[str | None] = mapped_column(String(80), unique=True)
    created_at: Mapped[Seconds]
    order_ref: Mapped[str | None] = mapped_column(String(35), index=True)
    """The message id of the payment order it went out with."""
    ordered_at: Mapped[Seconds | None]


class OutcomeFileRow(Base):
    """A file of outcomes as received; the same bytes are imported once."""

    __tablename__ = "outcome_file"

    id: Mapped[Key]
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    name: Mapped[str]
    content: Mapped[Octets]
    imported_at: Mapped[Seconds]
    imported_by: Mapped[str]


class OutcomeRow(Base):
    """What became of one payment, as a line of a file says; each reference counts once."""

    __tablename__ = "outcome"

    reference: Mapped[str] = mapped_column(String(80), primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("outcome_file.id"))
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"))
    state: Mapped[Word]
    """``paid`` or ``failed``, and why in ``reason``."""
    reason: Mapped[str] = mapped_column(String(140), default="")
    cents: Mapped[Cents]
    booked_on: Mapped[date]
