"""What the backend concluded: records of cards, postings, cases, alarms, proof requests."""

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
from backend.domain.people import SYSTEM
from backend.domain.states import CaseState
from backend.domain.verdicts import PostingState

ATTESTATION_SOURCES = ("sale_entry", "proof_entry", "card_session")


class CardRecordRow(Base):
    """A record of EF.SPEND that an entry claims or a card attested; clear totals included.

    ``attested``: a valid tc is known. ``proven``: attested, or implied by a later state.
    ``live``: on the branch that the card followed.
    """

    __tablename__ = "card_record"
    __table_args__ = (UniqueConstraint("purse_id", "ctr", "record_hash"),)

    id: Mapped[Key]
    """Also the order of arrival."""
    purse_id: Mapped[int] = mapped_column(ForeignKey("purse.id"))
    ctr: Mapped[int]
    record_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    record: Mapped[bytes] = mapped_column(LargeBinary(54))
    clear: Mapped[bytes] = mapped_column(LargeBinary(46))
    attested: Mapped[bool] = mapped_column(default=False)
    proven: Mapped[bool] = mapped_column(default=False)
    live: Mapped[bool] = mapped_column(default=False)
    first_seen: Mapped[Seconds]


class AttestationRow(Base):
    """An attested read: record, random and tc that the backend checked under K_TC."""

    __tablename__ = "attestation"
    __table_args__ = (
        one_of("source", ATTESTATION_SOURCES),
        UniqueConstraint("source", "source_ref", "record_hash"),
        Index("ix_attestation_purse_ctr", "purse_id", "ctr"),
    )

    id: Mapped[Key]
    purse_id: Mapped[int] = mapped_column(ForeignKey("purse.id"))
    ctr: Mapped[int]
    record_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    record: Mapped[bytes] = mapped_column(LargeBinary(54))
    index: Mapped[int] = mapped_column("record_index")
    random: Mapped[bytes] = mapped_column(LargeBinary(8))
    tc: Mapped[bytes] = mapped_column(LargeBinary(8))
    source: Mapped[Word]
    source_ref: Mapped[str]
    """``terminal:seq``, or the id of the card session."""
    at: Mapped[Seconds]


class CaseRow(Base):
    """Something that waits for a proof or a person; its money is in its suspense account."""

    __tablename__ = "suspense_case"
    __table_args__ = (one_of("state", CaseState),)

    id: Mapped[Key]
    code: Mapped[Word]
    purse_id: Mapped[int | None] = mapped_column(ForeignKey("purse.id"))
    entry_ref: Mapped[str | None]
    state: Mapped[Word] = mapped_column(default=CaseState.OPEN)
    opened_at: Mapped[Seconds]
    decision: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[Seconds | None]
    approved_by: Mapped[str | None]
    """The second person, where one is needed."""
    act: Mapped[str | None]

    @property
    def by_people(self) -> bool:
        """Whether people closed it, and not a proof."""
        return self.state == CaseState.CLOSED and self.decided_by != SYSTEM

    def reopen(self, code: str, now: int) -> None:
        """It waits again, or for another reason; nothing of an earlier decision is left.

        An open one keeps since when it waits.
        """
        self.opened_at = self.opened_at if self.state == CaseState.OPEN else now
        self.code, self.state, self.act = code, CaseState.OPEN, None
        self.decision = self.decided_by = self.decided_at = self.approved_by = None


class PostingRow(Base):
    """A record's place in the books; key (purse, ctr, hash), at most one live a ctr.

    ``merchant_id`` is null while the entry of a proven record is missing. ``reason`` says why
    a posting is not payable. ``closing_seq``: the entry of type 2, 3 or 4.
    """

    __tablename__ = "posting"
    __table_args__ = (
        UniqueConstraint("purse_id", "ctr", "record_hash"),
        one_of("state", PostingState),
        Index("ix_posting_merchant", "merchant_id", "event_time"),
        Index("ix_posting_entry", "terminal", "closing_seq"),
    )

    id: Mapped[Key]
    purse_id: Mapped[int] = mapped_column(ForeignKey("purse.id"))
    ctr: Mapped[int]
    record_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    state: Mapped[Word]
    live: Mapped[bool]
    amount_open: Mapped[bool]
    reason: Mapped[Word] = mapped_column(default="")
    is_void: Mapped[bool]
    terminal: Mapped[int]
    intent_seq: Mapped[int]
    closing_seq: Mapped[int | None]
    merchant_id: Mapped[int | None] = mapped_column(ForeignKey("merchant.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("suspense_case.id"))
    event_time: Mapped[Seconds]
    booked_at: Mapped[Seconds]

    parts: Mapped[list["PostingPartRow"]] = relationship(
        lazy="selectin", cascade="all, delete-orphan", order_by="PostingPartRow.id"
    )


Index(
    "uq_posting_live",
    PostingRow.purse_id,
    PostingRow.ctr,
    unique=True,
    sqlite_where=text("live = 1"),
    postgresql_where=text("live"),
)


UNSETTLED = text("(posting.reason <> '' OR posting.amount_open)")
"""Of a posting that may still change by itself; as the index says it, so that it serves."""
Index(
    "ix_posting_unsettled",
    PostingRow.purse_id,
    PostingRow.ctr,
    sqlite_where=text("reason <> '' OR amount_open"),
    postgresql_where=text("reason <> '' OR amount_open"),
)


class PostingPartRow(Base):
    """Where a part of a posting came from and where it lies; negative in a void."""

    __tablename__ = "posting_part"
    __table_args__ = (
        CheckConstraint("cents <> 0", name="cents"),
        UniqueConstraint("posting_id", "slot", "origin_id", "holder_id"),
    )

    id: Mapped[Key]
    posting_id: Mapped[int] = mapped_column(ForeignKey("posting.id"), index=True)
    slot: Mapped[int]
    origin_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    holder_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    cents: Mapped[Cents]

    @property
    def ends(self) -> tuple[int, int]:
        """The accounts that it came from and lies in."""
        return self.origin_id, self.holder_id


class AlarmRow(Base):
    """Something that a person should look at; ``facts`` is JSON for its sentence."""

    __tablename__ = "alarm"
    __table_args__ = (UniqueConstraint("code", "ref"),)

    id: Mapped[Key]
    code: Mapped[Word]
    ref: Mapped[str] = mapped_column(String(120))
    """What it is about; one alarm a code and subject."""
    purse_id: Mapped[int | None] = mapped_column(ForeignKey("purse.id"))
    terminal: Mapped[int | None] = mapped_column(ForeignKey("terminal.number"))
    facts: Mapped[str] = mapped_column(default="{}")
    raised_at: Mapped[Seconds]


class ProofRequestRow(Base):
    """A record that tills are asked to read attested when they see the purse."""

    __tablename__ = "proof_request"

    purse_id: Mapped[int] = mapped_column(ForeignKey("purse.id"), primary_key=True)
    ctr: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    requested_at: Mapped[Seconds]


class GrantSeenRow(Base):
    """A grant that a till met, in clear; ``grant_id`` when it is one of ours."""

    __tablename__ = "grant_seen"

    hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    grant: Mapped[Octets] = mapped_column("grant_bytes")
    terminal: Mapped[int] = mapped_column(ForeignKey("terminal.number"))
    seq: Mapped[int]
    grant_id: Mapped[int | None] = mapped_column(ForeignKey("card_grant.id"))
