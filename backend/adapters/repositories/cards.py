"""Stock cards, purses, load orders, grants and card sessions."""

from collections.abc import Collection, Iterable, Sequence
from functools import partial

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from backend.adapters.repositories.seen import Seen
from backend.adapters.tables.cards import CardGrantRow, LoadOrderRow, PurseRow, StockCardRow
from backend.adapters.tables.programmes import MunicipalityRow, ProgrammeRow
from backend.adapters.tables.sessions import CardSessionRow, CardSessionStepRow
from backend.domain.states import GrantState, OrderState, SessionState
from backend.errors import UnknownError
from cardlib.wire.ids import PurseId

_SESSION = select(CardSessionRow).where(CardSessionRow.id == bindparam("session"))
_STEPS = (
    select(CardSessionStepRow)
    .where(CardSessionStepRow.session_id == bindparam("session"))
    .order_by(CardSessionStepRow.step)
)
_GRANTS_OF = (
    select(CardGrantRow)
    .where(CardGrantRow.purse_id == bindparam("purse_id"))
    .order_by(CardGrantRow.grant_seq)
)
_OF_ORDER = joinedload(CardGrantRow.order)
_GRANTS_WITH_ORDERS = (
    select(CardGrantRow)
    .options(
        _OF_ORDER.lazyload(LoadOrderRow.purse),
        _OF_ORDER.joinedload(LoadOrderRow.programme).lazyload(ProgrammeRow.municipality),
        _OF_ORDER.lazyload(LoadOrderRow.award),
    )
    .where(CardGrantRow.purse_id.in_(bindparam("purses", expanding=True)))
    .order_by(CardGrantRow.purse_id, CardGrantRow.grant_seq)
)


class Cards:
    """What is on which purse, and what is to go there."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._by_number = Seen[PurseId, PurseRow](session, _number_of)
        self._by_id = Seen[int, PurseRow](session, lambda row: row.id)

    def note(self, row: object) -> None:
        """``row`` is being stored by this unit."""
        if isinstance(row, PurseRow):
            self._by_number.forget_missing()

    def fetch_purses(self, purses: Iterable[PurseId]) -> None:
        """Looks up purses, in one go an issuer."""
        by_issuer: dict[bytes, list[PurseId]] = {}
        for purse in purses:
            by_issuer.setdefault(purse.issuer, []).append(purse)
        for issuer, wanted in by_issuer.items():
            for row in self._by_number.fetch(wanted, partial(self._load_purses, issuer)):
                self._by_id.note(row)

    def fetch_purses_by_id(self, purse_ids: Iterable[int]) -> None:
        """Looks up purses by row id, in one go."""
        self._by_id.fetch(
            purse_ids,
            lambda ids: self._session.scalars(select(PurseRow).where(PurseRow.id.in_(ids))),
        )

    def _load_purses(self, issuer: bytes, purses: Iterable[PurseId]) -> Iterable[PurseRow]:
        return self._session.scalars(
            select(PurseRow)
            .join(PurseRow.municipality)
            .options(contains_eager(PurseRow.municipality))
            .where(MunicipalityRow.issuer == issuer)
            .where(PurseRow.number.in_([purse.number for purse in purses]))
        )

    def find_purse(self, purse: PurseId) -> PurseRow | None:
        """The purse of an issuer and number."""
        self.fetch_purses([purse])
        return self._by_number.find(purse, lambda: None)

    def purse_by_id(self, purse_id: int) -> PurseRow:
        """By row id."""
        row = self._by_id.find(purse_id, lambda: self._session.get_one(PurseRow, purse_id))
        assert row is not None
        return row

    def purse(self, purse: PurseId) -> PurseRow:
        """As above; UnknownError ``PURSE_UNKNOWN``."""
        row = self.find_purse(purse)
        if row is None:
            raise UnknownError("PURSE_UNKNOWN", purse=str(purse))
        return row

    def purses(self) -> Sequence[PurseRow]:
        """All, by id."""
        return self._session.scalars(select(PurseRow).order_by(PurseRow.id)).all()

    def hotlisted(self) -> list[PurseId]:
        """Purses that tills are to refuse, oldest first."""
        rows = self._session.execute(
            select(MunicipalityRow.issuer, PurseRow.number)
            .join(MunicipalityRow, MunicipalityRow.id == PurseRow.municipality_id)
            .where(PurseRow.hotlisted_at.is_not(None))
            .order_by(PurseRow.id)
        )
        return [PurseId(issuer, number) for issuer, number in rows]

    def proven_states(self) -> list[tuple[int, PurseId, int, bytes]]:
        """Row id, purse, counter and record hash of every proven state, oldest purse first."""
        rows = self._session.execute(
            select(
                PurseRow.id, MunicipalityRow.issuer, PurseRow.number,
                PurseRow.proven_ctr, PurseRow.proven_hash,
            )
            .join(MunicipalityRow, MunicipalityRow.id == PurseRow.municipality_id)
            .where(PurseRow.proven_hash.is_not(None))
            .order_by(PurseRow.id)
        )  # fmt: skip
        return [
            (row_id, PurseId(issuer, number), ctr, digest or b"")
            for row_id, issuer, number, ctr, digest in rows
        ]

    def stock_card(self, serial: str) -> StockCardRow:
        """By serial; UnknownError ``STOCK_CARD_UNKNOWN``."""
        row = self._session.get(StockCardRow, serial)
        if row is None:
            raise UnknownError("STOCK_CARD_UNKNOWN", serial=serial)
        return row

    def find_stock_card(self, serial: str) -> StockCardRow | None:
        """By serial."""
        return self._session.get(StockCardRow, serial)

    def stock_card_of(self, purse_id: int) -> StockCardRow | None:
        """The card that a purse was put on."""
        return self._session.scalar(select(StockCardRow).where(StockCardRow.purse_id == purse_id))

    def order(self, order_id: int) -> LoadOrderRow:
        """By id; UnknownError ``ORDER_UNKNOWN``."""
        row = self._session.get(LoadOrderRow, order_id)
        if row is None:
            raise UnknownError("ORDER_UNKNOWN", order=order_id)
        return row

    def orders(self) -> Sequence[LoadOrderRow]:
        """All, by id."""
        return self._session.scalars(select(LoadOrderRow).order_by(LoadOrderRow.id)).all()

    def orders_of(self, purse_id: int, *states: str) -> Sequence[LoadOrderRow]:
        """Orders of a purse in one of ``states``, oldest first."""
        return self._session.scalars(
            select(LoadOrderRow)
            .where(LoadOrderRow.purse_id == purse_id, LoadOrderRow.state.in_(states))
            .order_by(LoadOrderRow.id)
        ).all()

    def ordered_cents(self, award_id: int) -> int:
        """What orders that are not void take of an award."""
        total = self._session.scalar(
            select(func.coalesce(func.sum(LoadOrderRow.delta_cents), 0)).where(
                LoadOrderRow.award_id == award_id, LoadOrderRow.state != OrderState.VOID
            )
        )
        return int(total or 0)

    def grants(self) -> Sequence[CardGrantRow]:
        """All, by id."""
        return self._session.scalars(select(CardGrantRow).order_by(CardGrantRow.id)).all()

    def grants_of(self, purse_id: int) -> Sequence[CardGrantRow]:
        """Every grant ever signed for a purse, by grant_seq."""
        return self._session.scalars(_GRANTS_OF, {"purse_id": purse_id}).all()

    def least_live_grants(self) -> dict[int, int]:
        """The lowest grant_seq that is live on a card, by purse; purses without one are absent."""
        rows = self._session.execute(
            select(CardGrantRow.purse_id, func.min(CardGrantRow.grant_seq))
            .where(CardGrantRow.state == GrantState.ON_CARD)
            .group_by(CardGrantRow.purse_id)
        )
        return {purse: least for purse, least in rows}  # noqa: C416 - rows are no pairs to mypy

    def grants_of_purses(self, purse_ids: Collection[int]) -> Sequence[CardGrantRow]:
        """As :meth:`grants_of` for several purses, with orders and programmes, no more."""
        return self._session.scalars(_GRANTS_WITH_ORDERS, {"purses": purse_ids}).all()

    def grants_of_order(self, order_id: int) -> Sequence[CardGrantRow]:
        """The grants signed for an order, oldest first."""
        return self._session.scalars(
            select(CardGrantRow).where(CardGrantRow.order_id == order_id).order_by(CardGrantRow.id)
        ).all()

    def find_grant_by_bytes(self, grant: bytes, signature: bytes) -> CardGrantRow | None:
        """The grant with these 27 bytes and this signature."""
        return self._session.scalar(
            select(CardGrantRow).where(
                CardGrantRow.grant == grant, CardGrantRow.signature == signature
            )
        )

    def card_session(self, session_id: str) -> CardSessionRow:
        """By id; UnknownError ``CARD_SESSION_UNKNOWN``."""
        row = self._session.scalar(_SESSION, {"session": session_id})
        if row is None:
            raise UnknownError("CARD_SESSION_UNKNOWN", session=session_id)
        return row

    def active_session(self, purse_id: int) -> CardSessionRow | None:
        """The one active session of a purse."""
        return self._session.scalar(
            select(CardSessionRow).where(
                CardSessionRow.purse_id == purse_id, CardSessionRow.state == SessionState.ACTIVE
            )
        )

    def sessions_of(self, purse_id: int) -> Sequence[CardSessionRow]:
        """Every session that a purse ever had, oldest first."""
        return self._session.scalars(
            select(CardSessionRow)
            .where(CardSessionRow.purse_id == purse_id)
            .order_by(CardSessionRow.created_at, CardSessionRow.id)
        ).all()

    def session_steps(self, session_id: str) -> Sequence[CardSessionStepRow]:
        """The answered steps of a session, in order."""
        return self._session.scalars(_STEPS, {"session": session_id}).all()


def _number_of(row: PurseRow) -> PurseId:
    return PurseId(row.municipality.issuer, row.number)
