"""Operator, municipalities, their keys, programmes, funding and awards."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.adapters.tables.key_sets import KeySetRow
from backend.adapters.tables.programmes import (
    AwardRow,
    CategoryRow,
    FundingRow,
    FundingSourceRow,
    IssuerKeyRow,
    MunicipalityRow,
    OperatorRow,
    ProgrammeRow,
)
from backend.errors import UnknownError

_SHOWN = select(
    *(
        select(func.count()).select_from(table).scalar_subquery()
        for table in (IssuerKeyRow, ProgrammeRow, CategoryRow, KeySetRow)
    )
)


class Programmes:
    """Who grants what."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._programmes: dict[int, ProgrammeRow] = {}

    def operator(self) -> OperatorRow:
        """The operator; UnknownError ``OPERATOR_MISSING`` before it is set up."""
        row: OperatorRow | None = self._session.scalar(select(OperatorRow))
        if row is None:
            raise UnknownError("OPERATOR_MISSING")
        return row

    def has_operator(self) -> bool:
        """Whether the installation is set up."""
        return self._session.scalar(select(OperatorRow)) is not None

    def find_municipality(self, issuer: bytes) -> MunicipalityRow | None:
        """The municipality of an issuer code (3 bytes)."""
        return self._session.scalar(select(MunicipalityRow).where(MunicipalityRow.issuer == issuer))

    def municipality(self, issuer: bytes) -> MunicipalityRow:
        """As above; UnknownError ``ISSUER_UNKNOWN``."""
        row = self.find_municipality(issuer)
        if row is None:
            raise UnknownError("ISSUER_UNKNOWN", issuer=issuer.hex())
        return row

    def municipalities(self) -> Sequence[MunicipalityRow]:
        """All, oldest first."""
        return self._session.scalars(select(MunicipalityRow).order_by(MunicipalityRow.id)).all()

    def issuer_keys(self) -> Sequence[tuple[MunicipalityRow, IssuerKeyRow]]:
        """Every grant key with its municipality."""
        rows = self._session.execute(
            select(MunicipalityRow, IssuerKeyRow)
            .join(IssuerKeyRow, IssuerKeyRow.municipality_id == MunicipalityRow.id)
            .order_by(MunicipalityRow.id, IssuerKeyRow.key_id)
        )
        return [(municipality, key) for municipality, key in rows]

    def newest_issuer_key(self, municipality_id: int) -> IssuerKeyRow:
        """The key that signs new grants; UnknownError ``KEY_MISSING``."""
        row = self._session.scalar(
            select(IssuerKeyRow)
            .where(IssuerKeyRow.municipality_id == municipality_id)
            .order_by(IssuerKeyRow.key_id.desc())
        )
        if row is None:
            raise UnknownError("KEY_MISSING", key=f"grant key of municipality {municipality_id}")
        return row

    def find_programme(self, municipality_id: int, number: int) -> ProgrammeRow | None:
        """The programme that a grant's number names."""
        return self._session.scalar(
            select(ProgrammeRow)
            .where(ProgrammeRow.municipality_id == municipality_id)
            .where(ProgrammeRow.number == number)
        )

    def programme(self, programme_id: int) -> ProgrammeRow:
        """By id; UnknownError."""
        row = self._programmes.get(programme_id) or self._session.get(ProgrammeRow, programme_id)
        if row is None:
            raise UnknownError("PROGRAMME_UNKNOWN", programme=programme_id)
        self._programmes[programme_id] = row
        return row

    def programmes(self) -> Sequence[ProgrammeRow]:
        """All, by id."""
        return self._session.scalars(select(ProgrammeRow).order_by(ProgrammeRow.id)).all()

    def shown(self) -> tuple[int, ...]:
        """How many keys, programmes, categories and key sets there are for tills to know."""
        return tuple(self._session.execute(_SHOWN).one())

    def categories(self) -> Sequence[CategoryRow]:
        """All, by bit."""
        return self._session.scalars(select(CategoryRow).order_by(CategoryRow.bit)).all()

    def find_funding_source(self, municipality_id: int, name: str) -> FundingSourceRow | None:
        """By name."""
        return self._session.scalar(
            select(FundingSourceRow)
            .where(FundingSourceRow.municipality_id == municipality_id)
            .where(FundingSourceRow.name == name)
        )

    def fundings(self) -> Sequence[FundingRow]:
        """All, by id."""
        return self._session.scalars(select(FundingRow).order_by(FundingRow.id)).all()

    def award(self, award_id: int) -> AwardRow:
        """By id; UnknownError."""
        row = self._session.get(AwardRow, award_id)
        if row is None:
            raise UnknownError("AWARD_UNKNOWN", award=award_id)
        return row

    def awards(self) -> Sequence[AwardRow]:
        """All, by id."""
        return self._session.scalars(select(AwardRow).order_by(AwardRow.id)).all()
