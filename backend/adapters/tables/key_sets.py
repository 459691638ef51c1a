"""Key sets of the issuers: announced to the tills, held by them, put onto cards."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.adapters.tables.base import Base, Key, Seconds


class KeySetRow(Base):
    """A key set after an issuer's first one. Cards change to it once it was begun."""

    __tablename__ = "key_set"
    __table_args__ = (CheckConstraint("number BETWEEN 1 AND 255", name="number"),)

    municipality_id: Mapped[int] = mapped_column(ForeignKey("municipality.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    announced_at: Mapped[Seconds]
    announced_by: Mapped[str]
    begun_at: Mapped[Seconds | None]
    begun_by: Mapped[str | None]


class KeySetHolderRow(Base):
    """A terminal said, under its own signature, that its module holds a key set."""

    __tablename__ = "key_set_holder"

    municipality_id: Mapped[int] = mapped_column(ForeignKey("municipality.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    terminal: Mapped[int] = mapped_column(ForeignKey("terminal.number"), primary_key=True)
    told_at: Mapped[Seconds]


class KeyChangeRow(Base):
    """A purse on its way from one key set to the next; one at a time is open.

    ``keys_changed_at``: all eight keys were confirmed by the card. ``core_changed_at``:
    EF.INFO was. ``done_at``: the purse sells again.
    """

    __tablename__ = "key_change"

    id: Mapped[Key]
    purse_id: Mapped[int] = mapped_column(ForeignKey("purse.id"), index=True)
    old_core: Mapped[bytes] = mapped_column(LargeBinary(16))
    new_core: Mapped[bytes] = mapped_column(LargeBinary(16))
    begun_at: Mapped[Seconds]
    keys_changed_at: Mapped[Seconds | None]
    core_changed_at: Mapped[Seconds | None]
    done_at: Mapped[Seconds | None]


Index(
    "uq_key_change_open",
    KeyChangeRow.purse_id,
    unique=True,
    sqlite_where=text("done_at IS NULL"),
    postgresql_where=text("done_at IS NULL"),
)
