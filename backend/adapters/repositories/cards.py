"""Stock cards, purses, load orders, grants and card sessions."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.adapters.tables.cards import CardGrantRow, LoadOrderRow, PurseRow, StockCardRow
from backend.adapters.tables.programmes import MunicipalityRow
from backend.adapters.tables.sessions import CardSessionRow, CardSessionStepRow
from backend.errors import UnknownError
from cardlib.wire.ids import PurseId


class Cards:
    """What is on which purse, and what is to go there."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find_purse(self, purse: PurseId) -> PurseRow | None:
        """The purse of an issuer and number."""
        return self._session.scalar(
            select(PurseRow)
            .join(MunicipalityRow)
            .where(MunicipalityRow.issuer == purse.issuer, PurseRow.number == purse.number)
        )

    def purse_by_id(self, purse_id: int) -> PurseRow:
        """By row id."""
        return self._session.get_one(PurseRow, purse_id)

    def purse(self, purse: PurseId) -> PurseRow:
        """As above; UnknownError ``PURSE_UNKNOWN``."""
        row = self.find_purse(purse)
        if row is None:
            raise UnknownError("PURSE_UNKNOWN", purse=str(purse))
        return row

    def purses(self) -> Sequence[PurseRow]:
        """All, by id."""
        return self._session.scalars(select(PurseRow).order_by(PurseRow.id)).all()

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
                LoadOrderRow.award_id == award_id, LoadOrderRow.state != "void"
            )
        )
        return int(total or 0)

    def grants(self) -> Sequence[CardGrantRow]:
        """All, by id."""
        return self._session.scalars(select(CardGrantRow).order_by(CardGrantRow.id)).all()

    def grants_of(self, purse_id: int) -> Sequence[CardGrantRow]:
        """Every grant ever signed for a purse, by grant_seq."""
        return self._session.scalars(
            select(CardGrantRow)
            .where(CardGrantRow.purse_id == purse_id)
            .order_by(CardGrantRow.grant_seq)
        ).all()

    def least_live_grants(self) -> dict[int, int]:
        """The lowest grant_seq that is live on a card, by purse; purses without one are absent."""
        rows = self._session.execute(
            select(CardGrantRow.purse_id, func.min(CardGrantRow.grant_seq))
            .where(CardGrantRow.state == "on_card")
            .group_by(CardGrantRow.purse_id)
        )
        return {purse: least for purse, least in rows}  # noqa: C416 - rows are no pairs to mypy

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
        row = self._session.get(CardSessionRow, session_id)
        if row is None:
            raise UnknownError("CARD_SESSION_UNKNOWN", session=session_id)
        return row

    def active_session(self, purse_id: int) -> CardSessionRow | None:
        """The one active session of a purse."""
        return self._session.scalar(
            select(CardSessionRow).where(
                CardSessionRow.purse_id == purse_id, CardSessionRow.state == "active"
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
        return self._session.scalars(
            select(CardSessionStepRow)
            .where(CardSessionStepRow.session_id == session_id)
            .order_by(CardSessionStepRow.step)
        ).all()
