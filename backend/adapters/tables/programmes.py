"""Who grants what: operator, municipalities, keys, programmes, funding, awards."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.adapters.tables.base import Base, Cents, Key, Octets, Seconds, Word, one_of
from backend.domain.states import AwardState

CLAIM_WINDOW_DAYS = 15


class OperatorRow(Base):
    """Who runs this installation; one row. Its signing key is in the key store."""

    __tablename__ = "operator"

    id: Mapped[Key]
    name: Mapped[str]
    public_key: Mapped[Octets]
    created_at: Mapped[Seconds]


class MunicipalityRow(Base):
    """An issuer: ``issuer`` is the ISTAT comune code, 3 BCD bytes."""

    __tablename__ = "municipality"

    id: Mapped[Key]
    issuer: Mapped[bytes] = mapped_column(LargeBinary(3), unique=True)
    name: Mapped[str]
    key_set: Mapped[int]
    """The key set of new purses; older ones stay in the key store."""
    created_at: Mapped[Seconds]
    claim_window_days: Mapped[int] = mapped_column(default=CLAIM_WINDOW_DAYS)
    """How long late sales may come in before anything is final (PROTOCOL 6)."""


class IssuerKeyRow(Base):
    """A public key that verifies a municipality's grants."""

    __tablename__ = "issuer_key"

    municipality_id: Mapped[int] = mapped_column(ForeignKey("municipality.id"), primary_key=True)
    key_id: Mapped[int] = mapped_column(primary_key=True)
    public_key: Mapped[Octets]
    created_at: Mapped[Seconds]


class CategoryRow(Base):
    """A category of goods, bit 0 to 31 of a grant's mask; the same for all programmes."""

    __tablename__ = "category"
    __table_args__ = (CheckConstraint("bit BETWEEN 0 AND 31", name="bit"),)

    bit: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name_it: Mapped[str]
    name_en: Mapped[str]


class FundingSourceRow(Base):
    """Whose money: a ministry, a region, donations."""

    __tablename__ = "funding_source"
    __table_args__ = (UniqueConstraint("municipality_id", "name"),)

    id: Mapped[Key]
    municipality_id: Mapped[int] = mapped_column(ForeignKey("municipality.id"))
    name: Mapped[str]


class ProgrammeRow(Base):
    """A voucher programme; ``number`` is what a grant carries, unique in a municipality."""

    __tablename__ = "programme"
    __table_args__ = (
        UniqueConstraint("municipality_id", "number"),
        CheckConstraint("number BETWEEN 1 AND 65535", name="number"),
        CheckConstraint("valid_from <= valid_to", name="validity"),
        CheckConstraint("day_limit_eur BETWEEN 0 AND 655", name="day_limit"),
    )

    id: Mapped[Key]
    municipality_id: Mapped[int] = mapped_column(ForeignKey("municipality.id"))
    number: Mapped[int]
    name: Mapped[str]
    categories: Mapped[Cents]
    """The 32-bit mask of what may be bought."""
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    day_limit_eur: Mapped[int]

    municipality: Mapped[MunicipalityRow] = relationship(lazy="joined")


class FundingRow(Base):
    """Money received for a programme; negative: returned to the funder."""

    __tablename__ = "funding"
    __table_args__ = (CheckConstraint("cents <> 0", name="cents"),)

    id: Mapped[Key]
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    funding_source_id: Mapped[int] = mapped_column(ForeignKey("funding_source.id"))
    cents: Mapped[Cents]
    act: Mapped[str]
    booked_by: Mapped[str]
    booked_at: Mapped[Seconds]


class AwardRow(Base):
    """What a household was awarded, by which act, approved by whom.

    ``holder`` is the municipality's own reference to the household, never a name.
    """

    __tablename__ = "award"
    __table_args__ = (
        CheckConstraint("cents > 0", name="cents"),
        CheckConstraint("withdrawn_cents BETWEEN 0 AND cents", name="withdrawn"),
        one_of("state", AwardState),
    )

    id: Mapped[Key]
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    funding_source_id: Mapped[int] = mapped_column(ForeignKey("funding_source.id"))
    holder: Mapped[str]
    cents: Mapped[Cents]
    withdrawn_cents: Mapped[Cents] = mapped_column(default=0)
    act: Mapped[str]
    requested_by: Mapped[str]
    approved_by: Mapped[str]
    approved_at: Mapped[Seconds]
    state: Mapped[Word] = mapped_column(default=AwardState.APPROVED)

    programme: Mapped[ProgrammeRow] = relationship(lazy="joined")
