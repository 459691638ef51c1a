"""Cases: what waits for a person, and how two people close it (PROTOCOL 6 and 7)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from backend.adapters.tables.verdicts import CaseRow, PostingPartRow, PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.cases import CaseFacts, Cover, Decision, check_decision
from backend.domain.claim_window import window_end
from backend.domain.ledger import Account, AccountKind, Ref, RefKind, Transfer, TransferKind
from backend.domain.people import check_two_people
from backend.domain.states import CaseState
from backend.domain.verdicts import PostingState
from backend.errors import ConflictError
from backend.services.administration.funds import check_fund
from backend.services.cases import covers
from backend.services.unit_of_work import Work
from backend.services.verdicts.claim_rules import Reason
from backend.services.verdicts.judgement import judge_purse
from backend.services.verdicts.posted import document_of, keep_parts, void_above
from backend.services.wallets.accounts import same_pot
from backend.services.wallets.present import keep_in_place
from cardlib.ports import Clock
from cardlib.wire.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """A case as a list shows it; cents, Unix seconds. ``entry``: ``terminal:seq`` or None.

    ``rivals``: entries of other unproven claims for the same record of the card. They wait for
    what becomes of this one: at most one of them is true.
    """

    number: int
    code: str
    entry: str | None
    cents: int
    opened_at: int
    due_at: int
    """When the claim window of its town is over."""
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseOffice:
    """The use cases; people are named by whoever calls."""

    work: Work
    clock: Clock

    def waiting(self) -> list[OpenCase]:
        """Every open case, oldest first."""
        with self.work.read() as unit:
            return [_view(unit, case) for case in unit.acts.open_cases()]

    def close(
        self, case: int, decision: Decision, *, act: str, requested_by: str, approved_by: str,
        cover: Cover | None = None,
    ) -> int:  # fmt: skip
        """Moves the money of a case as two people decided; the cents moved.

        The same decision again changes nothing. UnknownError ``CASE_UNKNOWN``;
        NotPermittedError ``SAME_PERSON``; ConflictError and BadInputError as
        ``backend.domain.cases`` says; ConflictError ``FUND_TOO_SMALL``.
        """
        check_two_people(requested_by, approved_by)
        with self.work.begin() as unit:
            row = unit.acts.case(case)
            if row.state == CaseState.CLOSED and row.decision == decision:
                return 0
            closing = _Closing(unit, row, self.clock.unix_ms() // 1000)
            check_decision(case, closing.facts(), decision, cover)
            closing.check_returns(decision)
            moved = closing.close(decision, cover)
            row.state, row.decision, row.act = CaseState.CLOSED, decision, act
            row.decided_by, row.approved_by, row.decided_at = requested_by, approved_by, closing.now
            if decision is Decision.RELEASE or (decision is Decision.PAY and closing.is_voided()):
                closing.judge_again()
            unit.commit()
        return moved


class _Closing:
    """One case inside one unit of work."""

    def __init__(self, unit: Unit, case: CaseRow, now: int) -> None:
        self.now = now
        self._unit = unit
        self._case = case
        self._posting = unit.acts.posting_of_case(case) if case.purse_id is not None else None

    def facts(self) -> CaseFacts:
        posting = self._posting
        suspended = list(self._suspended())
        return CaseFacts(
            open=self._case.state == CaseState.OPEN,
            suspended=sum(item.left for item in suspended),
            lacking=sum(item.left for item in suspended if self._lent(item.part)),
            proven=posting is not None and posting.state == PostingState.PROVEN,
            is_void=posting is not None and posting.is_void,
            merchant_known=self._merchant() is not None,
            waits_for_entry=self._case.code == Reason.ENTRY_MISSING,
            told_no_more=self._told_no_more(),
        )

    def check_returns(self, decision: Decision) -> None:
        """ConflictError ``CASE_WITH_RETURN``: what came back would be given a second time."""
        posting = self._posting
        refunds = decision is Decision.REFUND and posting is not None
        if refunds and posting and self._unit.settlement.returns_of(posting.id):
            raise ConflictError("CASE_WITH_RETURN", case=self._case.id)

    def close(self, decision: Decision, cover: Cover | None) -> int:
        """Books the decision, and keeps with the posting where its money lies now."""
        posting = self._posting
        if posting is None or decision is Decision.DONE:
            return 0
        if decision is Decision.PAY and posting.merchant_id is None:
            posting.merchant_id = self._merchant()
        suspended = list(self._suspended())
        steps = (self._steps(item, decision, cover) for item in suspended)
        self._unit.ledger.post([step for each in steps for step in each], self.now)
        moved = sum(item.left for item in suspended)
        places = {
            (item.part.slot, item.part.origin_id, item.part.holder_id): self._target(
                self._account(item.part.origin_id), decision
            )
            for item in suspended
        }
        for row in (posting, *(item.void for item in suspended if item.void is not None)):
            self._keep_parts(row, places)
        posting.reason = ""
        keep_in_place(self._unit, self._unit.cards.purse_by_id(posting.purse_id), self.now)
        return moved

    def is_voided(self) -> bool:
        """Whether the card has a void above the sale."""
        return self._posting is not None and void_above(self._unit, self._posting) is not None

    def judge_again(self) -> None:
        """Another till may claim the same record of the card, or the card shows a void of what is
        paid, and its till tells nothing: that money waits from now on."""
        if self._posting is None:
            return
        purse = self._unit.cards.purse_by_id(self._posting.purse_id)
        judge_purse(self._unit, purse, self.now, changed_ctr=self._posting.ctr)

    def _steps(
        self, item: "_Suspended", decision: Decision, cover: Cover | None
    ) -> Iterator[Transfer]:
        """What a void took from the case it takes now from where the rest of the sale goes."""
        part = item.part
        origin, holder = self._account(part.origin_id), self._account(part.holder_id)
        target, closed = self._target(origin, decision), TransferKind.CASE_CLOSED
        if item.left:
            yield self._transfer(closed, holder, target, item.left)
        if item.void is not None and item.left != part.cents:
            yield Transfer(
                kind=TransferKind.VOID_PROVEN, source=target, target=holder,
                money=Money(part.cents - item.left), event_time=item.void.event_time,
                ref=document_of(self._unit, item.void),
            )  # fmt: skip
            yield self._transfer(closed, holder, target, part.cents - item.left)
        sale = self._voided()
        if sale is not None and target == origin:  # the void holds
            yield from covers.follow_void(self._unit, sale, {origin: item.left}, self.now)
        if item.left and self._lent(part) and target != origin and cover is not None:
            bearer = same_pot(origin, AccountKind(cover))
            if cover is Cover.FUND:
                check_fund(self._unit, bearer, item.left)
            yield self._transfer(TransferKind.CASE_COVERED, bearer, origin, item.left)

    def _target(self, origin: Account, decision: Decision) -> Account:
        if decision is Decision.PAY:
            return same_pot(origin, AccountKind.PAYABLE, merchant=self._merchant())
        if decision is Decision.REFUND:
            return same_pot(origin, AccountKind.REFUND_DUE)
        return origin

    def _keep_parts(
        self, posting: PostingRow, places: Mapping[tuple[int, int, int], Account]
    ) -> None:
        """``places``: by slot, origin and holder, where the money of such a part is now."""
        held: dict[tuple[int, int, int], int] = {}
        for part in posting.parts:
            place = (part.slot, part.origin_id, part.holder_id)
            target = places.get(place)
            if target is not None:
                place = (part.slot, part.origin_id, self._unit.ledger.row(target).id)
            if target is None or place[2] != part.origin_id:
                held[place] = held.get(place, 0) + part.cents
        keep_parts(self._unit, posting, held)

    def _suspended(self) -> Iterator["_Suspended"]:
        if self._posting is not None:
            yield from _suspended(self._unit, self._posting)

    def _lent(self, part: PostingPartRow) -> bool:
        """Whether exposure lent it and nobody bears it yet."""
        sale = self._voided()
        borne = sale is not None and covers.is_covered(self._unit, sale)
        return self._account(part.origin_id).kind is AccountKind.EXPOSURE and not borne

    def _voided(self) -> PostingRow | None:
        """The sale below a void."""
        void = self._posting
        if void is None or not void.is_void:
            return None
        rows = self._unit.verdicts.postings(void.purse_id, void.ctr - 1)
        return next((row for row in rows if row.live and row.ctr == void.ctr - 1), None)

    def _merchant(self) -> int | None:
        if self._posting is None:
            return None
        terminal = self._unit.terminals.find(self._posting.terminal)
        return None if terminal is None or terminal.training else terminal.merchant_id

    def _told_no_more(self) -> bool:
        """Its till is lost, had not told of it, and nobody has within the claim window."""
        if self._posting is None:
            return False
        loss = self._unit.acts.loss(self._posting.terminal)
        due = due_at(self._unit, self._case)
        return loss is not None and self._posting.intent_seq > loss.head_seq and self.now >= due

    def _account(self, account_id: int) -> Account:
        return self._unit.ledger.account(account_id)

    def _transfer(
        self, kind: TransferKind, source: Account, target: Account, cents: int
    ) -> Transfer:
        return Transfer(
            kind=kind, source=source, target=target, money=Money(cents), event_time=self.now,
            ref=Ref(RefKind.CASE, str(self._case.id)),
        )  # fmt: skip


def due_at(unit: Unit, case: CaseRow) -> int:
    """When the claim window of the case's town is over; at once when it has no purse."""
    if case.purse_id is None:
        return case.opened_at
    town = unit.cards.purse_by_id(case.purse_id).municipality
    return window_end(case.opened_at, town.claim_window_days)


@dataclass(frozen=True, slots=True)
class _Suspended:
    """A part in suspense, the void above its sale, and the cents that this has left."""

    part: PostingPartRow
    void: PostingRow | None
    left: int


def _suspended(unit: Unit, posting: PostingRow) -> Iterator[_Suspended]:
    void = void_above(unit, posting)
    taken = {
        (part.slot, part.origin_id, part.holder_id): part.cents
        for part in (void.parts if void is not None and not posting.is_void else ())
        if part.cents < 0
    }
    for part in posting.parts:
        if unit.ledger.account(part.holder_id).kind is AccountKind.SUSPENSE:
            back = taken.get((part.slot, part.origin_id, part.holder_id), 0)
            yield _Suspended(part, void if back else None, part.cents + back)


def _view(unit: Unit, case: CaseRow) -> OpenCase:
    posting = unit.acts.posting_of_case(case) if case.purse_id is not None else None
    parts = _suspended(unit, posting) if posting is not None else ()
    return OpenCase(
        number=case.id, code=case.code, entry=case.entry_ref,
        cents=sum(item.left for item in parts),
        opened_at=case.opened_at, due_at=due_at(unit, case),
        rivals=_rivals(unit, posting) if posting is not None else (),
    )  # fmt: skip


def _rivals(unit: Unit, posting: PostingRow) -> tuple[str, ...]:
    rows = unit.verdicts.postings(posting.purse_id, posting.ctr)
    return tuple(
        f"{row.terminal}:{row.closing_seq}"
        for row in rows
        if row.ctr == posting.ctr and row.id != posting.id
        and row.state == posting.state == PostingState.UNPROVEN
    )  # fmt: skip
