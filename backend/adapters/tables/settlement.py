"""Settlement batches, their lines, payments, and the outcome files of the bank."""

from datetime import date

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.adapters.tables.base import Base, Cents, Key, Octets, Seconds, Word, one_of
from backend.adapters.tables.programmes import ProgrammeRow
from backend.domain.ledger import Pot
from backend.domain.outcomes import PaymentState
from backend.domain.settlement import BatchState, LineState


class SettlementBatchRow(Base):
    """What a municipality is to pay a merchant for a period.

    The period in Unix seconds, from inclusive, to exclusive: one batch for each that has not
    failed.
    """

    __tablename__ = "settlement_batch"
    __table_args__ = (
        one_of("state", BatchState),
        Index(
            "uq_settlement_batch_period",
            "municipality_id",
            "merchant_id",
            "period_from",
            "period_to",
            unique=True,
            sqlite_where=text("state <> 'failed'"),
            postgresql_where=text("state <> 'failed'"),
        ),
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
    """The last of those who had to; all of them are in ``batch_approval``."""
    approved_at: Mapped[Seconds | None]
    turned_down_by: Mapped[str | None]
    turned_down_at: Mapped[Seconds | None]

    lines: Mapped[list["BatchLineRow"]] = relationship(
        lazy="selectin", order_by="BatchLineRow.id", back_populates="batch"
    )


class BatchReviewRow(Base):
    """A batch handed over for review, and the sample that was drawn for it.

    The sample are the lines whose ``in_sample`` is true, of those where it is not null.
    """

    __tablename__ = "batch_review"

    batch_id: Mapped[int] = mapped_column(
        ForeignKey("settlement_batch.id"), primary_key=True, autoincrement=False
    )
    sent_by: Mapped[str]
    sent_at: Mapped[Seconds]
    begun_by: Mapped[str | None]
    begun_at: Mapped[Seconds | None]
    seed: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    """Drawn when the review began, once (``backend.domain.review``)."""
    sample_permille: Mapped[int | None]


class BatchApprovalRow(Base):
    """One person's approval of a batch."""

    __tablename__ = "batch_approval"
    __table_args__ = (UniqueConstraint("batch_id", "person"),)

    id: Mapped[Key]
    batch_id: Mapped[int] = mapped_column(ForeignKey("settlement_batch.id"))
    person: Mapped[str]
    approved_at: Mapped[Seconds]


class ApprovalBandRow(Base):
    """From an amount on: how much of a batch is looked at, how many people approve it.

    Rows are added, never changed; of one ``from_cents`` the newest counts.
    """

    __tablename__ = "approval_band"

    id: Mapped[Key]
    municipality_id: Mapped[int] = mapped_column(ForeignKey("municipality.id"), index=True)
    from_cents: Mapped[Cents]
    sample_permille: Mapped[int]
    approvals: Mapped[int]
    act: Mapped[str]
    requested_by: Mapped[str]
    approved_by: Mapped[str]
    set_at: Mapped[Seconds]


class GoodsReturnRow(Base):
    """Goods came back after the day's close: the merchant owes their price, the purse gets it.

    Of one sale, slot and pot. ``repaid_*``: the merchant sent the money back; else the next
    batch nets it. ``repaid_ref``: the bank's reference.
    """

    __tablename__ = "goods_return"
    __table_args__ = (CheckConstraint("cents > 0", name="cents"),)

    id: Mapped[Key]
    posting_id: Mapped[int] = mapped_column(ForeignKey("posting.id"), index=True)
    slot: Mapped[int]
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    funding_source_id: Mapped[int] = mapped_column(ForeignKey("funding_source.id"))
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"), index=True)
    cents: Mapped[Cents]
    act: Mapped[str]
    requested_by: Mapped[str]
    approved_by: Mapped[str]
    agreed_at: Mapped[Seconds]
    repaid_ref: Mapped[str | None] = mapped_column(String(80))
    repaid_by: Mapped[str | None]
    repaid_at: Mapped[Seconds | None]

    programme: Mapped[ProgrammeRow] = relationship(lazy="joined")

    @property
    def pot(self) -> Pot:
        """Whose money it is."""
        return Pot(self.programme.municipality_id, self.programme_id, self.funding_source_id)


class BatchLineRow(Base):
    """A posting in a batch, negative for a void; or with ``return_id`` a return of its goods.

    A failed payment spawns linked lines: ``replaces_id`` names the line of the failed batch.
    ``in_sample`` is null until a review begins, and of what was not paid then. ``note``: why
    whoever reviewed it held it back, in their own words.
    """

    __tablename__ = "batch_line"
    __table_args__ = (
        one_of("state", LineState),
        CheckConstraint("cents <> 0", name="cents"),
        UniqueConstraint("batch_id", "return_id"),
        Index("ix_batch_line_posting", "posting_id"),
    )

    id: Mapped[Key]
    batch_id: Mapped[int] = mapped_column(ForeignKey("settlement_batch.id"))
    posting_id: Mapped[int] = mapped_column(ForeignKey("posting.id"))
    cents: Mapped[Cents]
    state: Mapped[Word] = mapped_column(default=LineState.INCLUDED)
    reason: Mapped[Word] = mapped_column(default="")
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("batch_line.id"), unique=True)
    return_id: Mapped[int | None] = mapped_column(ForeignKey("goods_return.id"), index=True)
    in_sample: Mapped[bool | None]
    reviewed_by: Mapped[str | None]
    reviewed_at: Mapped[Seconds | None]
    note: Mapped[str | None]

    batch: Mapped[SettlementBatchRow] = relationship(back_populates="lines")


Index(
    "uq_batch_line_posting",
    BatchLineRow.batch_id,
    BatchLineRow.posting_id,
    unique=True,
    sqlite_where=text("return_id IS NULL"),
    postgresql_where=text("return_id IS NULL"),
)


class PaymentRow(Base):
    """One credit transfer; name and IBAN as they stood when it was made."""

    __tablename__ = "payment"
    __table_args__ = (
        one_of("state", PaymentState),
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


class GivenStatementRow(Base):
    """A signed statement that a merchant was given: what tells it from any other.

    ``hash``: SHA-256 of its bytes. ``transfer`` and ``head``: the ledger's head that it names.
    """

    __tablename__ = "given_statement"

    id: Mapped[Key]
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    period_from: Mapped[Seconds]
    period_to: Mapped[Seconds]
    issued_at: Mapped[Seconds]
    hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    transfer: Mapped[int]
    head: Mapped[bytes] = mapped_column(LargeBinary(32))


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
