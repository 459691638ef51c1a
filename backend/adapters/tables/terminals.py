"""Merchants, what they may accept, their terminals, and the codes that enrol these."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.adapters.tables.base import Base, Key, Octets, Seconds, Word, one_of
from backend.domain.states import TerminalState
from cardlib.wire.ed25519 import PublicKey


class MerchantRow(Base):
    """A shop's business: who is paid, and where."""

    __tablename__ = "merchant"

    id: Mapped[Key]
    name: Mapped[str]
    iban: Mapped[str]
    created_at: Mapped[Seconds]


class MerchantProgrammeRow(Base):
    """A municipality enables a merchant for a programme."""

    __tablename__ = "merchant_programme"

    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"), primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"), primary_key=True)
    enabled_at: Mapped[Seconds]
    disabled_at: Mapped[Seconds | None]


def _kid_of_key(context: DefaultExecutionContext) -> bytes:
    row = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return PublicKey(row["public_key"]).kid


class TerminalRow(Base):
    """One enrolment. ``high_seq`` and ``high_hash``: how far its journal is accepted.

    ``lost_at``: theft or loss, as recorded by a person; sales after it wait for one.
    """

    __tablename__ = "terminal"
    __table_args__ = (
        CheckConstraint("number BETWEEN 1 AND 16777215", name="number"),
        one_of("state", TerminalState),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    public_key: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    box_key: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """To which its keys are sealed, of its enrolment; None until one that is older asks."""
    kid: Mapped[bytes] = mapped_column(LargeBinary(8), unique=True, default=_kid_of_key)
    """Under which its requests and entries name the key."""
    certificate: Mapped[Octets]
    training: Mapped[bool]
    state: Mapped[Word] = mapped_column(default=TerminalState.ACTIVE)
    enrolled_at: Mapped[Seconds]
    lost_at: Mapped[Seconds | None]
    high_seq: Mapped[int] = mapped_column(default=0)
    high_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    mark: Mapped[Seconds] = mapped_column(default=0)
    """The terminal mark: complete up to then (PROTOCOL 6)."""
    mark_seq: Mapped[int] = mapped_column(default=0)
    """The heartbeat that set it."""

    merchant: Mapped[MerchantRow] = relationship(lazy="joined")


class EnrolmentCodeRow(Base):
    """A one-time code (its SHA-256), for exactly one key, for fifteen minutes."""

    __tablename__ = "enrolment_code"

    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    fingerprint: Mapped[str]
    training: Mapped[bool]
    created_at: Mapped[Seconds]
    expires_at: Mapped[Seconds]
    used_at: Mapped[Seconds | None]
    answer: Mapped[bytes | None]
    """What was answered: the same request again gets the same answer."""
    request_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class NonceRow(Base):
    """A request's nonce, kept until no clock tolerance would let it in again."""

    __tablename__ = "nonce"

    key_id: Mapped[str] = mapped_column(primary_key=True)
    nonce: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[Seconds] = mapped_column(BigInteger, index=True)


class BundleRow(Base):
    """A published bundle; a new version only when its content changed."""

    __tablename__ = "bundle"

    version: Mapped[Key]
    content_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    complete: Mapped[Octets]
    hotlist_version: Mapped[int]
    hotlist_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    watermark_version: Mapped[int]
    watermark_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    issued_at: Mapped[Seconds]
