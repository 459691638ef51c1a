"""Stock cards, purses, load orders and the grants signed for them."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.adapters.tables.base import Base, Cents, Key, Seconds, Word, one_of
from backend.adapters.tables.programmes import AwardRow, MunicipalityRow, ProgrammeRow
from backend.domain.states import GrantState, OrderSource, OrderState, PurseState, StockState
from cardlib.codec.purse import Grant


class PurseRow(Base):
    """A purse directory on some card: random number, INFO core, what is known of its state.

    ``proven_ctr`` and ``proven_hash`` (SHA-256 of the record) are the watermark: the newest
    proven state. ``card_mark``: the largest proven n with 1..n posted (PROTOCOL 6).
    """

    __tablename__ = "purse"
    __table_args__ = (
        UniqueConstraint("municipality_id", "number"),
        one_of("state", PurseState),
    )

    id: Mapped[Key]
    municipality_id: Mapped[int] = mapped_column(ForeignKey("municipality.id"))
    number: Mapped[bytes] = mapped_column(LargeBinary(8))
    info_core: Mapped[bytes] = mapped_column(LargeBinary(16))
    state: Mapped[Word] = mapped_column(default=PurseState.ACTIVE)
    created_at: Mapped[Seconds]
    holder: Mapped[str | None]
    """The municipality's reference to the household, as in awards."""
    grant_seq_high: Mapped[int] = mapped_column(default=0)
    """The highest grant_seq ever signed for this purse, whatever became of its order."""
    proven_ctr: Mapped[int] = mapped_column(default=0)
    proven_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    card_mark: Mapped[int] = mapped_column(default=0)
    hotlisted_at: Mapped[Seconds | None]
    hotlist_code: Mapped[Word | None]

    municipality: Mapped[MunicipalityRow] = relationship(lazy="joined")


class StockCardRow(Base):
    """A card of the town's stock that can be personalised; transport keys: key store."""

    __tablename__ = "stock_card"
    __table_args__ = (one_of("state", StockState),)

    serial: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[Word]
    """``white`` or ``crs``."""
    municipality_id: Mapped[int] = mapped_column(ForeignKey("municipality.id"))
    """The town of whose stock it is, and whose purse it will carry."""
    state: Mapped[Word] = mapped_column(default="new")
    imported_at: Mapped[Seconds]
    purse_id: Mapped[int | None] = mapped_column(ForeignKey("purse.id"))
    suite: Mapped[int] = mapped_column(default=1)
    """The chip's cipher suite: 1 AES-128, 2 two-key TDEA."""

    municipality: Mapped[MunicipalityRow] = relationship(lazy="joined")
    purse: Mapped[PurseRow | None] = relationship(lazy="joined")


class LoadOrderRow(Base):
    """An approved order to add ``delta_cents`` to a slot of a purse.

    ``source``: where the money comes from; ``source_id`` is the id of the award, of the
    refunded posting or of the replaced purse. ``carry_over``: whether the old wallet's rest
    goes into the new grant (same programme only); ``carried_over_cents`` is known once
    signed.
    """

    __tablename__ = "load_order"
    __table_args__ = (
        CheckConstraint("delta_cents >= 0", name="delta"),
        CheckConstraint("slot BETWEEN 1 AND 6", name="slot"),
        one_of("state", OrderState),
        one_of("source", OrderSource),
        Index("ix_load_order_purse_state", "purse_id", "state"),
    )

    id: Mapped[Key]
    purse_id: Mapped[int] = mapped_column(ForeignKey("purse.id"))
    slot: Mapped[int]
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    funding_source_id: Mapped[int] = mapped_column(ForeignKey("funding_source.id"))
    award_id: Mapped[int | None] = mapped_column(ForeignKey("award.id"))
    source: Mapped[Word] = mapped_column(default=OrderSource.AWARD)
    source_id: Mapped[int | None]
    return_id: Mapped[int | None] = mapped_column(index=True)
    """Of a refund: the return of goods that it is for, instead of ``source_id``."""
    delta_cents: Mapped[Cents]
    carry_over: Mapped[bool] = mapped_column(default=True)
    carried_over_cents: Mapped[Cents] = mapped_column(default=0)
    state: Mapped[Word] = mapped_column(default=OrderState.APPROVED)
    requested_by: Mapped[str]
    approved_by: Mapped[str]
    approved_at: Mapped[Seconds]

    purse: Mapped[PurseRow] = relationship(lazy="joined")
    programme: Mapped[ProgrammeRow] = relationship(lazy="joined")
    award: Mapped[AwardRow | None] = relationship(lazy="joined")


def _last_day_of_grant(context: DefaultExecutionContext) -> int:
    row = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return Grant.decode(row["grant_bytes"]).valid_to


class CardGrantRow(Base):
    """A signed grant: 27 clear bytes and signature; never signed twice under one number.

    ``left_cents``: what lay in the slot's old wallet when this was signed and is not
    carried over. ``record``: the EF.GRANT record it was sent to. ``valid_to``: its last day,
    as a day number. ``pending_at``: since when its wallet is expired_pending; ``expired_at``:
    what was left of it is given up.
    """

    __tablename__ = "card_grant"
    __table_args__ = (
        UniqueConstraint("purse_id", "grant_seq"),
        one_of("state", GrantState),
        Index("ix_card_grant_expiry", "state", "valid_to"),
        Index("ix_card_grant_signature", "signature"),
    )

    id: Mapped[Key]
    order_id: Mapped[int] = mapped_column(ForeignKey("load_order.id"), index=True)
    purse_id: Mapped[int] = mapped_column(ForeignKey("purse.id"))
    slot: Mapped[int]
    grant_seq: Mapped[int]
    record: Mapped[int]
    info_core: Mapped[bytes] = mapped_column(LargeBinary(16))
    grant: Mapped[bytes] = mapped_column("grant_bytes", LargeBinary(27))
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
    left_cents: Mapped[Cents] = mapped_column(default=0)
    state: Mapped[Word] = mapped_column(default=GrantState.LOADING)
    signed_at: Mapped[Seconds]
    confirmed_at: Mapped[Seconds | None]
    confirmed_by: Mapped[str | None]
    """``session:ID`` or ``entry:T:S``."""
    valid_to: Mapped[int] = mapped_column(default=_last_day_of_grant)
    pending_at: Mapped[Seconds | None]
    expired_at: Mapped[Seconds | None]

    order: Mapped[LoadOrderRow] = relationship(lazy="joined")


Index(
    "uq_card_grant_slot_on_card",
    CardGrantRow.purse_id,
    CardGrantRow.slot,
    unique=True,
    sqlite_where=text("state = 'on_card'"),
    postgresql_where=text("state = 'on_card'"),
)
