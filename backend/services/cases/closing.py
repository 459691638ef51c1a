"""How the money of a case moves when two people close it (PROTOCOL 6 and 7)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from backend.adapters.tables.verdicts import CaseRow, PostingPartRow, PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.cases import CaseFacts, Cover, Decision
from backend.domain.claim_window import window_end
from backend.domain.ledger import Account, AccountKind, Ref, RefKind, Transfer, TransferKind
from backend.domain.states import CaseState
from backend.domain.verdicts import PostingState
from backend.errors import ConflictError
from backend.services.administration.funds import check_fund
from backend.services.cases import covers
from backend.services.verdicts.claim_rules import Reason
from backend.services.verdicts.judgement import judge_purse
from backend.services.verdicts.posted import document_of, keep_parts, void_above
from backend.services.wallets.accounts import same_pot
from backend.services.wallets.present import keep_in_place
from cardlib.wire.money import Money


def due_at(unit: Unit, case: CaseRow) -> int:
    """When the claim window of the case's town is over; at once when it has no purse."""
    if case.purse_id is None:
        return case.opened_at
    town = unit.cards.purse_by_id(case.purse_id).municipality
    return window_end(case.opened_at, town.claim_window_days)


@dataclass(frozen=True, slots=True)
class Suspended:
    """A part in suspense, the void above its sale, and the cents that this has left."""

    part: PostingPartRow
    void: PostingRow | None
    left: int


def suspended_of(unit: Unit, posting: PostingRow) -> Iterator[Suspended]:
    """The parts of a posting that wait, each with what a void above it leaves."""
    void = void_above(unit, posting)
    taken = {
        (part.slot, part.origin_id, part.holder_id): part.cents
        for part in (void.parts if void is not None and not posting.is_void else ())
        if part.cents < 0
    }
    for part in posting.parts:
        if unit.ledger.account(part.holder_id).kind is AccountKind.SUSPENSE:
            back = taken.get((part.slot, part.origin_id, part.holder_id), 0)
            yield Suspended(part, void if back else None, part.cents + back)


class Closing:
    """One case inside one unit of work."""

    def __init__(self, unit: Unit, case: CaseRow, now: int) -> None:
        self.now = now
        self._unit = unit
        self._case = case
        self._posting = unit.acts.posting_of_case(case) if case.purse_id is not None else None

    def facts(self) -> CaseFacts:
        """What the rules ask of the case."""
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
        purse = self._unit.cards.purse_by_id(posting.purse_id)
        keep_in_place(self._unit, purse, self._unit.cards.grants_of(purse.id), self.now)
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
        self, item: Suspended, decision: Decision, cover: Cover | None
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

    def _suspended(self) -> Iterator[Suspended]:
        if self._posting is not None:
            yield from suspended_of(self._unit, self._posting)

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
