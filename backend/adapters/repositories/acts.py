"""Acts of people about cards and terminals, and what the end of a day has to look at."""

from collections.abc import Sequence

from sqlalchemy import String, cast, func, literal, or_, select
from sqlalchemy.orm import Session

from backend.adapters.repositories.ledger import account_of
from backend.adapters.repositories.seen import Seen
from backend.adapters.tables.acts import PurseBlockRow, TerminalLossRow
from backend.adapters.tables.cards import CardGrantRow, LoadOrderRow, PurseRow
from backend.adapters.tables.journals import OPEN, EntryRow, IntentRow
from backend.adapters.tables.ledger import AccountRow
from backend.adapters.tables.programmes import MunicipalityRow, ProgrammeRow
from backend.adapters.tables.terminals import MerchantProgrammeRow, TerminalRow
from backend.adapters.tables.verdicts import AlarmRow, CaseRow, PostingRow
from backend.domain.claim_window import DAY_S
from backend.domain.ledger import Account, AccountKind
from backend.domain.states import CaseState, GrantState, OrderState, TerminalState
from backend.errors import UnknownError


class Acts:
    """Blocks, losses, and the lists that a day's end goes through in bounded steps."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._losses = Seen[int, TerminalLossRow](session, lambda row: row.terminal)

    def note(self, row: object) -> None:
        """``row`` is being stored by this unit."""
        if isinstance(row, TerminalLossRow):
            self._losses.note(row)

    # --- cards and terminals ------------------------------------------------------------------

    def open_block(self, purse_id: int) -> PurseBlockRow | None:
        """The block that stands on a purse."""
        return self._session.scalar(
            select(PurseBlockRow).where(
                PurseBlockRow.purse_id == purse_id, PurseBlockRow.ended_at.is_(None)
            )
        )

    def last_block(self, purse_id: int) -> PurseBlockRow:
        """The newest block of a purse, standing or ended; UnknownError ``BLOCK_UNKNOWN``."""
        row = self._session.scalar(
            select(PurseBlockRow)
            .where(PurseBlockRow.purse_id == purse_id)
            .order_by(PurseBlockRow.id.desc())
            .limit(1)
        )
        if row is None:
            raise UnknownError("BLOCK_UNKNOWN", purse=purse_id)
        return row

    def blocks(self) -> Sequence[PurseBlockRow]:
        """All, oldest first."""
        return self._session.scalars(select(PurseBlockRow).order_by(PurseBlockRow.id)).all()

    def blocks_with_rest(self, after: int, limit: int) -> Sequence[PurseBlockRow]:
        """Replaced purses whose reserve was not ordered yet, after block ``after``."""
        return self._session.scalars(
            select(PurseBlockRow)
            .where(PurseBlockRow.ended_at.is_(None), PurseBlockRow.replaced_by.is_not(None))
            .where(PurseBlockRow.rest_ordered_at.is_(None), PurseBlockRow.id > after)
            .order_by(PurseBlockRow.id)
            .limit(limit)
        ).all()

    def blocked_for(self, purse_id: int) -> list[Account]:
        """Accounts of cards that a purse replaces, with money that is still blocked."""
        old = select(PurseBlockRow.purse_id).where(
            PurseBlockRow.replaced_by == purse_id, PurseBlockRow.ended_at.is_(None)
        )
        rows = self._session.scalars(
            select(AccountRow)
            .where(AccountRow.kind == AccountKind.BLOCKED, AccountRow.purse_id.in_(old))
            .where(AccountRow.balance_cents > 0)
            .order_by(AccountRow.id)
        )
        return [account_of(row) for row in rows]

    def loss(self, terminal: int) -> TerminalLossRow | None:
        """The act that recorded a terminal as lost."""
        return self._losses.find(terminal, lambda: self._session.get(TerminalLossRow, terminal))

    def losses(self) -> Sequence[TerminalLossRow]:
        """All, by terminal."""
        return self._session.scalars(
            select(TerminalLossRow).order_by(TerminalLossRow.terminal)
        ).all()

    def purses_sold_to(self, terminal: int, since: int) -> Sequence[tuple[int, int]]:
        """Purses with postings of a terminal from ``since`` on, and the lowest counter of these.

        Also earlier ones of which it has not told, and the amount is not known.
        """
        untold = PostingRow.amount_open & PostingRow.closing_seq.is_(None)
        rows = self._session.execute(
            select(PostingRow.purse_id, func.min(PostingRow.ctr))
            .where(PostingRow.terminal == terminal)
            .where(or_(PostingRow.event_time >= since, untold))
            .group_by(PostingRow.purse_id)
            .order_by(PostingRow.purse_id)
        )
        return [(purse_id, ctr) for purse_id, ctr in rows]

    # --- orders and cases ---------------------------------------------------------------------

    def orders_from(self, source: str, source_id: int) -> Sequence[LoadOrderRow]:
        """Orders that are not void and take their money from a refund or a replaced purse."""
        return self._session.scalars(
            select(LoadOrderRow)
            .where(LoadOrderRow.source == source, LoadOrderRow.source_id == source_id)
            .where(LoadOrderRow.state != OrderState.VOID)
            .order_by(LoadOrderRow.id)
        ).all()

    def case(self, case_id: int) -> CaseRow:
        """By id, locked; UnknownError ``CASE_UNKNOWN``."""
        row = self._session.get(CaseRow, case_id, with_for_update=True)
        if row is None:
            raise UnknownError("CASE_UNKNOWN", case=case_id)
        return row

    def posting_of_case(self, case: CaseRow) -> PostingRow | None:
        """The posting whose money a case holds."""
        return self._session.scalar(
            select(PostingRow).where(
                PostingRow.purse_id == case.purse_id, PostingRow.case_id == case.id
            )
        )

    def posting_of_sale(self, terminal: int, seq: int) -> PostingRow | None:
        """The posting of an intent, or of the entry that closed it."""
        return self._session.scalar(
            select(PostingRow)
            .where(PostingRow.terminal == terminal)
            .where(or_(PostingRow.intent_seq == seq, PostingRow.closing_seq == seq))
            .order_by(PostingRow.live.desc(), PostingRow.id)
            .limit(1)
        )

    def open_cases(self, municipality_id: int | None = None) -> Sequence[CaseRow]:
        """Cases that wait for a person, or for a proof, oldest first."""
        query = select(CaseRow).where(CaseRow.state == CaseState.OPEN).order_by(CaseRow.id)
        if municipality_id is not None:
            query = query.join(PurseRow, PurseRow.id == CaseRow.purse_id)
            query = query.where(PurseRow.municipality_id == municipality_id)
        return self._session.scalars(query).all()

    # --- marks --------------------------------------------------------------------------------

    def terminals_of_merchant(self, merchant_id: int) -> Sequence[TerminalRow]:
        """A merchant's terminals, training ones left out, by number."""
        return self._session.scalars(
            select(TerminalRow)
            .where(TerminalRow.merchant_id == merchant_id, TerminalRow.training.is_(False))
            .order_by(TerminalRow.number)
        ).all()

    def terminals_of_issuer(self, municipality_id: int) -> Sequence[TerminalRow]:
        """Terminals of every merchant that may or once might take the town's vouchers."""
        merchants = (
            select(MerchantProgrammeRow.merchant_id)
            .join(ProgrammeRow, ProgrammeRow.id == MerchantProgrammeRow.programme_id)
            .where(ProgrammeRow.municipality_id == municipality_id)
        )
        return self._session.scalars(
            select(TerminalRow)
            .where(TerminalRow.merchant_id.in_(merchants), TerminalRow.training.is_(False))
            .order_by(TerminalRow.number)
        ).all()

    def unresolved(
        self, *, purse_id: int | None = None, municipality_id: int | None = None,
        merchant_id: int | None = None,
    ) -> Sequence[IntentRow]:  # fmt: skip
        """Parked sales of a purse, of a town's purses, or at a merchant's terminals."""
        query = select(IntentRow).where(IntentRow.state == "unresolved")
        if purse_id is not None:
            query = query.where(IntentRow.purse_id == purse_id)
        if municipality_id is not None:
            query = query.join(PurseRow, PurseRow.id == IntentRow.purse_id)
            query = query.where(PurseRow.municipality_id == municipality_id)
        if merchant_id is not None:
            query = query.join(TerminalRow, TerminalRow.number == IntentRow.terminal)
            query = query.where(TerminalRow.merchant_id == merchant_id)
        return self._session.scalars(query.order_by(IntentRow.terminal, IntentRow.seq)).all()

    # --- the end of a day ---------------------------------------------------------------------

    def grants_past_last_day(self, today: int, limit: int) -> Sequence[CardGrantRow]:
        """Live grants whose last day is over and whose wallets were not looked at yet."""
        return self._session.scalars(
            select(CardGrantRow)
            .where(CardGrantRow.state == GrantState.ON_CARD, CardGrantRow.valid_to < today)
            .where(CardGrantRow.pending_at.is_(None))
            .order_by(CardGrantRow.id)
            .limit(limit)
        ).all()

    def pending_grants(
        self, municipality_id: int, last_day: int, after: int, limit: int
    ) -> Sequence[CardGrantRow]:
        """A town's expired wallets not yet given up, last day ``last_day`` or before, by id."""
        return self._session.scalars(
            select(CardGrantRow)
            .join(PurseRow, PurseRow.id == CardGrantRow.purse_id)
            .where(PurseRow.municipality_id == municipality_id)
            .where(CardGrantRow.state == GrantState.ON_CARD, CardGrantRow.valid_to <= last_day)
            .where(CardGrantRow.pending_at.is_not(None), CardGrantRow.expired_at.is_(None))
            .where(CardGrantRow.id > after)
            .order_by(CardGrantRow.id)
            .limit(limit)
        ).all()

    def is_loading(self, purse_id: int, slot: int) -> bool:
        """Whether a signed grant for the slot is on its way to the card."""
        found = select(CardGrantRow.id).where(
            CardGrantRow.purse_id == purse_id, CardGrantRow.slot == slot,
            CardGrantRow.state == GrantState.LOADING,
        )  # fmt: skip
        return self._session.scalar(found.limit(1)) is not None

    def forgotten_intents(
        self, received_before: int, alarm: str, limit: int
    ) -> Sequence[IntentRow]:
        """Open intents of active terminals that came before, and of which no ``alarm`` speaks.

        Such a one holds the marks of its terminal, merchant and towns back.
        """
        told = select(AlarmRow.ref).where(AlarmRow.code == alarm)
        name = (
            literal("intent ") + cast(IntentRow.terminal, String) + literal(":")
            + cast(IntentRow.seq, String)
        )  # fmt: skip
        place = (EntryRow.terminal == IntentRow.terminal) & (EntryRow.seq == IntentRow.seq)
        return self._session.scalars(
            select(IntentRow)
            .join(EntryRow, place)
            .join(TerminalRow, TerminalRow.number == IntentRow.terminal)
            .where(
                OPEN,
                EntryRow.received_at < received_before,
                TerminalRow.state == TerminalState.ACTIVE,
            )
            .where(name.not_in(told))
            .order_by(IntentRow.terminal, IntentRow.seq)
            .limit(limit)
        ).all()

    def overdue_cases(self, now: int, alarm: str, limit: int) -> Sequence[CaseRow]:
        """Open cases that have waited longer than the claim window of their town, and of which
        no ``alarm`` speaks yet, oldest first; one without a purse has none."""
        window_s = func.coalesce(MunicipalityRow.claim_window_days, 0) * DAY_S
        told = select(AlarmRow.ref).where(AlarmRow.code == alarm)
        name = literal("case ") + cast(CaseRow.id, String)
        return self._session.scalars(
            select(CaseRow)
            .outerjoin(PurseRow, PurseRow.id == CaseRow.purse_id)
            .outerjoin(MunicipalityRow, MunicipalityRow.id == PurseRow.municipality_id)
            .where(CaseRow.state == CaseState.OPEN, CaseRow.opened_at + window_s < now)
            .where(name.not_in(told))
            .order_by(CaseRow.id)
            .limit(limit)
        ).all()
