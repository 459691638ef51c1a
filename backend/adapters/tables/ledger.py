"""Accounts with their kept balances, and the chained transfers behind them."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.adapters.tables.base import Base, Cents, Key, Seconds, Word, one_of
from backend.domain.ledger import AccountKind


class AccountRow(Base):
    """An account; ``balance_cents`` is the sum of its transfers, kept beside them."""

    __tablename__ = "account"
    __table_args__ = (
        one_of("kind", [str(kind) for kind in AccountKind]),
        CheckConstraint(
            "balance_cents >= 0 OR kind IN ('external', 'exposure', 'loss', 'payable')",
            name="balance",
        ),
        Index("ix_account_purse", "purse_id", "slot", "kind"),
        Index("ix_account_merchant", "merchant_id", "kind"),
    )

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[Word]
    municipality_id: Mapped[int] = mapped_column(ForeignKey("municipality.id"))
    programme_id: Mapped[int | None] = mapped_column(ForeignKey("programme.id"))
    funding_source_id: Mapped[int | None] = mapped_column(ForeignKey("funding_source.id"))
    purse_id: Mapped[int | None] = mapped_column(ForeignKey("purse.id"))
    slot: Mapped[int | None]
    merchant_id: Mapped[int | None] = mapped_column(ForeignKey("merchant.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("suspense_case.id"))
    balance_cents: Mapped[Cents] = mapped_column(default=0)


class TransferRow(Base):
    """One transfer; rows are added, never changed or deleted."""

    __tablename__ = "transfer"
    __table_args__ = (
        CheckConstraint("cents > 0 AND source_id <> target_id", name="movement"),
        Index("ix_transfer_ref", "ref_kind", "ref_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[Word]
    source_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    target_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    cents: Mapped[Cents]
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    event_time: Mapped[Seconds]
    booked_at: Mapped[Seconds]
    ref_kind: Mapped[Word]
    ref_id: Mapped[str] = mapped_column(String(80))
    prev_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class LedgerHeadRow(Base):
    """The last transfer: one row, changed by whoever appends."""

    __tablename__ = "ledger_head"

    id: Mapped[Key]
    transfer_id: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
