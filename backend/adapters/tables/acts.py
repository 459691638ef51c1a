"""What people put on record about cards and terminals: each row names who, and by which act."""

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.adapters.tables.base import Base, Key, Seconds, Word


class PurseBlockRow(Base):
    """A card declared lost or stolen; one block a purse is open at a time.

    ``blocked_at`` is when tills began to be told. ``ended_at``: the card was found.
    ``replaced_by``: the purse that its money goes to.
    """

    __tablename__ = "purse_block"

    id: Mapped[Key]
    purse_id: Mapped[int] = mapped_column(ForeignKey("purse.id"), index=True)
    code: Mapped[Word]
    """``CARD_LOST`` or ``CARD_STOLEN``."""
    blocked_at: Mapped[Seconds]
    recorded_by: Mapped[str]
    ended_at: Mapped[Seconds | None]
    ended_by: Mapped[str | None]
    end_approved_by: Mapped[str | None]
    """The second person; blocks that ended before this was asked for have none."""
    replaced_by: Mapped[int | None] = mapped_column(ForeignKey("purse.id"))
    replaced_at: Mapped[Seconds | None]
    requested_by: Mapped[str | None]
    approved_by: Mapped[str | None]
    rest_ordered_at: Mapped[Seconds | None]
    """When what had been held in reserve was ordered onto the new card."""


Index(
    "uq_purse_block_open",
    PurseBlockRow.purse_id,
    unique=True,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)


class TerminalLossRow(Base):
    """A terminal recorded as lost: marks no longer wait for it (PROTOCOL 6).

    ``head_seq``: how far its journal was accepted when this was recorded.
    """

    __tablename__ = "terminal_loss"

    terminal: Mapped[int] = mapped_column(
        ForeignKey("terminal.number"), primary_key=True, autoincrement=False
    )
    lost_at: Mapped[Seconds]
    head_seq: Mapped[int]
    act: Mapped[str]
    recorded_by: Mapped[str]
    approved_by: Mapped[str]
    recorded_at: Mapped[Seconds]
