"""Card sessions: the backend drives a card at the far end of HTTP (PROTOCOL 6)."""

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.adapters.tables.base import Base, Octets, Seconds, Word, one_of
from backend.domain.states import SessionState


class CardSessionRow(Base):
    """One conversation, bound to station, person, purse and order; lives until ``expires_at``.

    ``seed`` makes the session's randoms, so that a step can be repeated byte for byte.
    """

    __tablename__ = "card_session"
    __table_args__ = (one_of("state", SessionState),)

    id: Mapped[str] = mapped_column(primary_key=True)
    terminal: Mapped[int] = mapped_column(ForeignKey("terminal.number"))
    person: Mapped[str | None]
    purpose: Mapped[Word]
    reference: Mapped[str]
    purse_id: Mapped[int | None] = mapped_column(ForeignKey("purse.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("load_order.id"))
    state: Mapped[Word] = mapped_column(default=SessionState.ACTIVE)
    step: Mapped[int] = mapped_column(default=0)
    seed: Mapped[Octets]
    plan: Mapped[bytes | None]
    """What was decided once the card had been read: a repeated step finds the same again."""
    outcome: Mapped[Word | None]
    created_at: Mapped[Seconds]
    expires_at: Mapped[Seconds]


Index(
    "uq_card_session_active_purse",
    CardSessionRow.purse_id,
    unique=True,
    sqlite_where=text("state = 'active'"),
    postgresql_where=text("state = 'active'"),
)


class CardSessionStepRow(Base):
    """One answered step: the same (session, step, hash of answers) gets the same ``reply``."""

    __tablename__ = "card_session_step"

    session_id: Mapped[str] = mapped_column(ForeignKey("card_session.id"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    answers_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    answers: Mapped[Octets]
    reply: Mapped[Octets]
    at: Mapped[Seconds]
