"""Setting up: the operator, municipalities with their keys, programmes, money, awards."""

from dataclasses import dataclass
from datetime import date

from backend.adapters.key_store import KeyStore
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
from backend.adapters.unit_of_work import Unit
from backend.domain.amounts import check_amount
from backend.domain.issuers import issuer_code
from backend.domain.ledger import AccountKind, Pot, Ref, RefKind, TransferKind
from backend.domain.people import check_person, check_two_people
from backend.errors import BadInputError, ConflictError
from backend.services.administration.funds import check_fund, pot_of
from backend.services.unit_of_work import Work
from backend.services.wallets.accounts import move_now
from cardlib.ports import Clock
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.money import Money

FIRST_KEY_SET = 1
FIRST_GRANT_KEY = 1
CATEGORY_MAX = 31


@dataclass(frozen=True, slots=True)
class NewProgramme:
    """A programme to be; ``categories`` are bit numbers, ``valid_to`` is inclusive."""

    number: int
    name: str
    categories: tuple[int, ...]
    valid_from: date
    valid_to: date
    day_limit_eur: int = 0


@dataclass(frozen=True, slots=True)
class ProgrammeOffice:
    """The use cases; ``by`` names the person who acts: BadInputError ``PERSON_BAD``."""

    work: Work
    keys: KeyStore
    clock: Clock

    def set_up(self, operator: str) -> PublicKey:
        """Names the operator and makes its key; ConflictError ``OPERATOR_EXISTS``."""
        with self.work.begin() as unit:
            if unit.programmes.has_operator():
                raise ConflictError("OPERATOR_EXISTS")
            public = self._operator_key()
            unit.add(OperatorRow(name=operator, public_key=public.raw, created_at=self._now()))
            unit.commit()
        return public

    def create_municipality(self, issuer: str, name: str) -> int:
        """A municipality by its ISTAT code (six digits), with masters and a grant key; its id.

        BadInputError ``ISSUER_BAD``, ConflictError ``ISSUER_EXISTS``.
        """
        code = issuer_code(issuer)
        with self.work.begin() as unit:
            if unit.programmes.find_municipality(code) is not None:
                raise ConflictError("ISSUER_EXISTS", issuer=issuer)
            grant_key = self._issuer_keys(code)
            town = MunicipalityRow(
                issuer=code, name=name, key_set=FIRST_KEY_SET, created_at=self._now()
            )
            unit.add(town)
            unit.add(
                IssuerKeyRow(
                    municipality_id=town.id, key_id=FIRST_GRANT_KEY, public_key=grant_key.raw,
                    created_at=self._now(),
                )
            )  # fmt: skip
            unit.commit()
            return town.id

    def name_category(self, bit: int, name_it: str, name_en: str) -> None:
        """Names a category of goods; again with the same names changes nothing."""
        if not 0 <= bit <= CATEGORY_MAX:
            raise BadInputError("CATEGORY_BAD", bit=bit)
        with self.work.begin() as unit:
            known = {row.bit: row for row in unit.programmes.categories()}.get(bit)
            if known is None:
                unit.add(CategoryRow(bit=bit, name_it=name_it, name_en=name_en))
            elif (known.name_it, known.name_en) != (name_it, name_en):
                raise ConflictError("CATEGORY_EXISTS", bit=bit)
            unit.commit()

    def create_programme(self, issuer: str, new: NewProgramme) -> int:
        """Its id; ConflictError ``PROGRAMME_EXISTS``, BadInputError ``PROGRAMME_BAD``."""
        mask = sum(1 << bit for bit in set(new.categories))
        if not mask or mask >> CATEGORY_MAX + 1 or new.valid_from > new.valid_to:
            raise BadInputError("PROGRAMME_BAD", number=new.number)
        with self.work.begin() as unit:
            town = unit.programmes.municipality(issuer_code(issuer))
            if unit.programmes.find_programme(town.id, new.number) is not None:
                raise ConflictError("PROGRAMME_EXISTS", number=new.number)
            row = ProgrammeRow(
                municipality_id=town.id, number=new.number, name=new.name, categories=mask,
                valid_from=new.valid_from, valid_to=new.valid_to,
                day_limit_eur=new.day_limit_eur,
            )  # fmt: skip
            unit.add(row)
            unit.commit()
            return row.id

    def fund(self, programme: int, source: str, amount: Money, *, act: str, by: str) -> int:
        """Money received for a programme from ``source``; the funding's id."""
        check_amount(amount)
        check_person(by)
        now = self._now()
        with self.work.begin() as unit:
            row = unit.programmes.programme(programme)
            origin = _funding_source(unit, row.municipality_id, source)
            funding = FundingRow(
                programme_id=row.id, funding_source_id=origin.id, cents=amount.cents, act=act,
                booked_by=by, booked_at=now,
            )  # fmt: skip
            unit.add(funding)
            pot = Pot(row.municipality_id, row.id, origin.id)
            move_now(
                unit, TransferKind.FUNDING, pot.account(AccountKind.EXTERNAL),
                pot.account(AccountKind.FUND), amount, Ref(RefKind.FUNDING, str(funding.id)), now,
            )  # fmt: skip
            unit.commit()
            return funding.id

    def award(
        self, programme: int, source: str, holder: str, amount: Money, *,
        act: str, requested_by: str, approved_by: str,
    ) -> int:  # fmt: skip
        """Awards money of the fund to a household; the award's id.

        NotPermittedError ``SAME_PERSON``; ConflictError ``FUND_TOO_SMALL``.
        """
        check_amount(amount)
        check_two_people(requested_by, approved_by)
        now = self._now()
        with self.work.begin() as unit:
            row = unit.programmes.programme(programme)
            pot = pot_of(unit, row, source)
            fund = pot.account(AccountKind.FUND)
            check_fund(unit, fund, amount.cents)
            award = AwardRow(
                programme_id=row.id, funding_source_id=pot.funding_source, holder=holder,
                cents=amount.cents, act=act, requested_by=requested_by, approved_by=approved_by,
                approved_at=now,
            )  # fmt: skip
            unit.add(award)
            move_now(
                unit, TransferKind.AWARD, fund, pot.account(AccountKind.COMMITTED), amount,
                Ref(RefKind.AWARD, str(award.id)), now,
            )  # fmt: skip
            unit.commit()
            return award.id

    def _operator_key(self) -> PublicKey:
        """The key in the store; made when there is none: a set-up that broke off goes on."""
        if self.keys.has_operator():
            return self.keys.operator_key().public
        return self.keys.create_operator().public

    def _issuer_keys(self, issuer: bytes) -> PublicKey:
        if not self.keys.has_masters(issuer, FIRST_KEY_SET):
            self.keys.create_masters(issuer, FIRST_KEY_SET)
        if not self.keys.has_grant_key(issuer, FIRST_GRANT_KEY):
            self.keys.create_grant_key(issuer, FIRST_GRANT_KEY)
        return self.keys.grant_key(issuer, FIRST_GRANT_KEY).public

    def _now(self) -> int:
        return self.clock.unix_ms() // 1000


def _funding_source(unit: Unit, municipality: int, name: str) -> FundingSourceRow:
    row = unit.programmes.find_funding_source(municipality, name)
    if row is None:
        row = FundingSourceRow(municipality_id=municipality, name=name)
        unit.add(row)
    return row
