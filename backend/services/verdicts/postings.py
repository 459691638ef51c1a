"""Puts judgements into the books: where each posting's money lies, and why (PROTOCOL 7)."""

from collections import Counter
from collections.abc import Iterable

from backend.adapters.tables.cards import PurseRow
from backend.adapters.tables.verdicts import PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.cases import Decision
from backend.domain.ledger import (
    Account,
    AccountKind,
    Ref,
    RefKind,
    Transfer,
    TransferKind,
    feasible_order,
)
from backend.domain.people import SYSTEM
from backend.domain.positions import moves
from backend.domain.settlement import Held
from backend.domain.verdicts import Judgement, PostingState, record_name
from backend.services.cases import covers
from backend.services.refunds import refunds_due
from backend.services.verdicts.claim_rules import Reason
from backend.services.verdicts.placement import Placement, is_unknown
from backend.services.verdicts.posted import Positions, keep_parts, positions_of
from backend.services.verdicts.purse_facts import KnownRecord, PurseFacts
from backend.services.verdicts.slot_accounts import SlotAccounts
from backend.services.wallets.accounts import same_pot
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money

REVIEWED = frozenset({Held.SUSPENDED, Held.REJECTED})
"""Cases that whoever reviewed a batch opened: no fact about a card closes them."""


class Books:
    """The postings of one purse. Judgements are posted in the order of their counters."""

    def __init__(self, unit: Unit, purse: PurseRow, facts: PurseFacts, now: int) -> None:
        self._unit = unit
        self._purse = purse
        self._facts = facts
        self._now = now
        self._pending: list[Transfer] = []
        self._rows = {row.record_hash: row for row in facts.postings}
        slots = SlotAccounts(unit, purse, facts, self._pending)
        self._placement = Placement(unit, purse, facts, slots, self._rows, now)

    def bury(self, judgements: Iterable[Judgement]) -> None:
        """Takes the place from postings that are no longer live, before others take it."""
        buried = False
        for judgement in judgements:
            row = self._rows.get(judgement.fact.hash)
            if row is not None and row.live and not judgement.live:
                row.live, buried = False, True
        if buried:
            self._unit.flush()

    def post(self, judgement: Judgement) -> None:
        """Brings the posting of one record to what ``judgement`` says."""
        record = self._facts.records[judgement.fact.hash]
        row = self._rows.get(judgement.fact.hash)
        before = (row.state, row.reason) if row is not None else None
        if row is None:
            row = self._new_row(judgement, record)
        elif self._stands(row, judgement):
            self._keep_decided(row, judgement, record)
            return
        current = positions_of(self._unit, row)
        wanted, reason = self._placement.of(judgement, record, row, current)
        self._update(row, judgement, record, reason)
        if current != wanted:
            kind = _transfer_kind(before, row)
            self._plan(row, current, wanted, kind, self._ref(record))
            self._store_parts(row, wanted)
            self._follow_cover(row, record, current, wanted)
        if not is_unknown(row, judgement, record):
            self._close_case_if_done(row)

    def settle(self) -> None:
        """Posts the transfers of all postings, in an order that overdraws no account."""
        if not self._pending:
            return
        accounts = {end for move in self._pending for end in (move.source, move.target)}
        balances = {account: self._unit.ledger.balance(account) for account in accounts}
        self._unit.ledger.post(feasible_order(self._pending, balances), self._now)
        self._pending.clear()

    def _stands(self, row: PostingRow, judgement: Judgement) -> bool:
        """Whether a person closed its case, and the card has not proven otherwise since.

        What was paid stays paid, what a grant has refunded stays refunded; what was given back
        is posted after all once it is proven.
        """
        if refunds_due.given_if_due(self._unit, row):
            return True
        if row.case_id is None:
            return False
        case = self._unit.verdicts.case(row.case_id)
        if case.state == "open" and case.code in REVIEWED:
            return True
        if case.decision == Decision.DONE and not row.parts and not judgement.amount_open:
            return False  # nobody knew the amount then
        proven_since = judgement.proven and row.state != PostingState.PROVEN
        return case.by_people and not (proven_since and case.decision == Decision.RELEASE)

    def _keep_decided(self, row: PostingRow, judgement: Judgement, record: KnownRecord) -> None:
        """Off the live branch the wallet gets its money back; what a person gave stays."""
        row.state, row.amount_open = judgement.state, judgement.amount_open
        if judgement.live:
            return
        current = positions_of(self._unit, row)
        wanted: Positions = {}
        for slot, position in current.items():
            for (origin, holder), cents in position.items():
                place = (same_pot(origin, AccountKind.EXPOSURE), holder)
                held = wanted.setdefault(slot, {})
                held[place] = held.get(place, 0) + cents
        if wanted != current:
            self._placement.alarm_on_disproved(row)
            self._plan(row, current, wanted, TransferKind.FORK_DEAD, self._ref(record))
            self._store_parts(row, wanted)

    def _new_row(self, judgement: Judgement, record: KnownRecord) -> PostingRow:
        row = PostingRow(
            purse_id=self._purse.id, ctr=judgement.fact.ctr, record_hash=judgement.fact.hash,
            is_void=judgement.fact.sign < 0, terminal=record.spend.terminal,
            intent_seq=record.spend.seq, event_time=record.spend.time, booked_at=self._now,
            parts=[],
        )  # fmt: skip
        self._rows[judgement.fact.hash] = row
        return row

    def _update(
        self, row: PostingRow, judgement: Judgement, record: KnownRecord, reason: Reason
    ) -> None:
        row.state, row.live = judgement.state, judgement.live
        row.amount_open, row.reason = judgement.amount_open, reason
        if record.intent is not None and record.terminal is not None:
            row.merchant_id = record.terminal.merchant_id
            row.closing_seq = record.intent.closing_seq if record.closing_ref else None
        self._unit.keep(row)

    def _plan(
        self, row: PostingRow, current: Positions, wanted: Positions, kind: TransferKind, ref: Ref
    ) -> None:
        for slot in sorted({*current, *wanted}):
            self._pending += [
                Transfer(
                    kind=kind, source=step.source, target=step.target, money=Money(step.cents),
                    event_time=row.event_time, ref=ref,
                )
                for step in moves(current.get(slot, {}), wanted.get(slot, {}))
            ]  # fmt: skip

    def _follow_cover(
        self, row: PostingRow, record: KnownRecord, current: Positions, wanted: Positions
    ) -> None:
        """What a void gives back to exposure goes on to whoever bore it."""
        sale = self._placement.voided(record) if row.is_void else None
        if sale is None:
            return
        returned: Counter[Account] = Counter()
        for position in wanted.values():
            returned.update(covers.returned_by(position))
        for position in current.values():
            returned.subtract(covers.returned_by(position))
        self._pending += covers.follow_void(self._unit, sale, returned, row.event_time)

    def _store_parts(self, row: PostingRow, wanted: Positions) -> None:
        ledger = self._unit.ledger
        held = {
            (slot, ledger.row(origin).id, ledger.row(holder).id): cents
            for slot, position in wanted.items()
            for (origin, holder), cents in position.items()
        }
        keep_parts(self._unit, row, held)

    def _close_case_if_done(self, row: PostingRow) -> None:
        if row.case_id is None:
            return
        suspended = (
            cents
            for position in positions_of(self._unit, row).values()
            for (_origin, holder), cents in position.items()
            if holder.kind is AccountKind.SUSPENSE
        )
        waiting = any(cents > 0 for cents in suspended)
        case = self._unit.verdicts.case(row.case_id)
        if not waiting and case.state == "open":
            case.state, case.decision = "closed", row.state
            case.decided_by, case.decided_at = SYSTEM, self._now

    def _ref(self, record: KnownRecord) -> Ref:
        if record.closing_ref is not None:
            return Ref(RefKind.ENTRY, record.closing_ref)
        purse = PurseId(self._purse.municipality.issuer, self._purse.number)
        return Ref(RefKind.RECORD, record_name(purse, record.row.ctr, record.row.record_hash))


_FIRST = {
    ("proven", False): TransferKind.SALE_PROVEN,
    ("unproven", False): TransferKind.SALE_UNPROVEN,
    ("proven", True): TransferKind.VOID_PROVEN,
    ("unproven", True): TransferKind.VOID_UNPROVEN,
}


def _transfer_kind(before: tuple[str, str] | None, row: PostingRow) -> TransferKind:
    """What kind of event brought the posting from ``before`` to what it is now."""
    if row.reason == Reason.NOT_APPLIED:
        return TransferKind.NOT_APPLIED_PROVEN
    if row.state == "proven" and not row.live:
        return TransferKind.FORK_DEAD
    if row.state == "contradicted":
        return TransferKind.DISPROVED
    if before is None:
        return _FIRST[row.state, row.is_void]
    state, reason = before
    if state != row.state or (reason and not row.reason):
        return TransferKind.LATER_PROVEN
    if row.reason and not reason:
        return TransferKind.SUSPENDED
    return TransferKind.AMOUNT_CORRECTED
