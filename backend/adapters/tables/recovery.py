"""Recoveries: the database was put back from an older copy, and has to learn again."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from backend.adapters.tables.base import Base, Key, Seconds


class RecoveryRow(Base):
    """One restored copy; the newest is the only one that can be open.

    ``terminals_above``: later enrolments get higher numbers. ``without``: terminals that it
    ended without, as numbers with commas.
    """

    __tablename__ = "recovery"

    id: Mapped[Key]
    begun_at: Mapped[Seconds]
    begun_by: Mapped[str]
    terminals_above: Mapped[int]
    ended_at: Mapped[Seconds | None]
    requested_by: Mapped[str | None]
    approved_by: Mapped[str | None]
    act: Mapped[str | None]
    without: Mapped[str | None]


class ReadmissionRow(Base):
    """A terminal that a restored copy had forgotten, taken back by its certificate."""

    __tablename__ = "terminal_readmission"

    id: Mapped[Key]
    terminal: Mapped[int] = mapped_column(ForeignKey("terminal.number"))
    recovery_id: Mapped[int] = mapped_column(ForeignKey("recovery.id"))
    act: Mapped[str]
    requested_by: Mapped[str]
    approved_by: Mapped[str]
    readmitted_at: Mapped[Seconds]
