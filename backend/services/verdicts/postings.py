"""Puts judgements into the books: where each posting's money lies, and why (PROTOCOL 7)."""

from collections import Counter
from collections.abc import Iterable, Mapping

from backend.adapters.tables.cards import PurseRow
from backend.adapters.tables.verdicts import PostingPartRow, PostingRow
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
from backend.domain.positions import Place, moves, take_back
from backend.domain.replacement import all_stopped_at
from backend.domain.settlement import Held
from backend.domain.verdicts import PREV_SIZE, Judgement, PostingState, record_name
from backend.services.alarms import raise_alarm
from backend.services.cases import covers
from backend.services.refunds import refunds_due
from backend.services.refunds.refunds_due import Wallet, wallet_of
from backend.services.terminals.bundles import STOP_DAYS
from backend.services.verdicts.claim_rules import Reason, claim_problem
from backend.services.verdicts.purse_facts import KnownRecord, PurseFacts
from backend.services.verdicts.slot_accounts import SlotAccounts
from backend.services.verdicts.waiting_cases import case_for
from backend.services.wallets.accounts import same_pot
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money

FOR_PEOPLE = frozenset(
    {Reason.VOID_AFTER_CLOSE, Reason.ENTRY_MISSING, Reason.JOURNAL_OTHER, Reason.NOT_APPLIED}
)
"""Why a void that the card proves holds nothing but the merchant's money back."""
REVIEWED = frozenset({Held.SUSPENDED, Held.REJECTED})
"""Cases that whoever reviewed a batch opened: no fact about a card closes them."""
Positions = dict[int, dict[Place, int]]
"""A position for each slot."""


class Books:
    """The postings of one purse. Judgements are posted in the order of their counters."""

    def __init__(self, unit: Unit, purse: PurseRow, facts: PurseFacts, now: int) -> None:
        self._unit = unit
        self._purse = purse
        self._facts = facts
        self._now = now
        self._pending: list[Transfer] = []
        self._slots = SlotAccounts(unit, purse, facts, self._pending)
        self._rows = {row.record_hash: row for row in facts.postings}

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
        current = self._positions(row)
        wanted, reason = self._wanted(judgement, record, row, current)
        self._update(row, judgement, record, reason)
        if current != wanted:
            kind = _transfer_kind(before, row)
            self._plan(row, current, wanted, kind, self._ref(record))
            self._store_parts(row, wanted)
            self._follow_cover(row, record, current, wanted)
        if not _is_unknown(row, judgement, record):
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
        if self._refunded(row):
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
        current = self._positions(row)
        wanted: Positions = {}
        for slot, position in current.items():
            for (origin, holder), cents in position.items():
                place = (same_pot(origin, AccountKind.EXPOSURE), holder)
                held = wanted.setdefault(slot, {})
                held[place] = held.get(place, 0) + cents
        if wanted != current:
            self._alarm_on_disproved(row)
            self._plan(row, current, wanted, TransferKind.FORK_DEAD, self._ref(record))
            self._store_parts(row, wanted)

    def _alarm_on_disproved(self, row: PostingRow) -> None:
        code, ref = "CASE_DISPROVED", f"case {row.case_id}"
        if self._refunded(row):
            code, ref = "REFUND_DISPROVED", f"posting {row.id}"
        raise_alarm(self._unit, code, ref, self._now, purse=self._purse, case=row.case_id or 0)

    def _refunded(self, row: PostingRow) -> dict[Wallet, int]:
        """What grants have given back of it; only of sales that lie in refund_due."""
        holders = (self._unit.ledger.account(part.holder_id) for part in row.parts)
        if row.is_void or not any(holder.kind is AccountKind.REFUND_DUE for holder in holders):
            return {}
        return refunds_due.given(self._unit, row)

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

    # --- what is wanted -------------------------------------------------------------------

    def _wanted(
        self, judgement: Judgement, record: KnownRecord, row: PostingRow, current: Positions
    ) -> tuple[Positions, Reason]:
        if not judgement.live:
            return self._wanted_dead(judgement, record, row)
        reason = claim_problem(self._unit, self._facts, record, judgement)
        if row.is_void:
            return self._wanted_void(judgement, record, row, reason)
        if reason is Reason.NOT_APPLIED and self._is_paid(row):
            self._alarm_on_denied(row)
            reason = Reason.NONE
        if _is_unknown(row, judgement, record):
            case_for(self._unit, row, reason, entry_ref=None, now=self._now)
        drawn = {
            slot: self._slots.draw(slot, cents, record, current.get(slot, {}))
            for slot, cents in judgement.amounts.items()
        }
        overdrawn = any(
            account.kind is AccountKind.EXPOSURE
            for origins in drawn.values()
            for account in origins
        )
        if overdrawn and not reason:
            reason = self._lack(drawn, record)
        wanted: Positions = {}
        for slot, origins in drawn.items():
            wanted[slot] = {
                (origin, self._holder(origin, row, record, reason)): cents
                for origin, cents in origins.items()
            }
        return wanted, reason

    def _lack(self, drawn: Mapping[int, Mapping[Account, int]], record: KnownRecord) -> Reason:
        """Why a wallet lacked money; its rest on another card is the town's risk, and paid.

        Until the offline guard has stopped the last till: whoever sold later knew of the block.
        """
        if self._purse.state == "replaced":
            blocked_at = self._unit.acts.last_block(self._purse.id).blocked_at
            if record.spend.time >= all_stopped_at(blocked_at, STOP_DAYS):
                return Reason.AFTER_BLOCK
            raise_alarm(
                self._unit, "SALE_ON_REPLACED_CARD",
                f"purse {self._purse.id} ctr {record.row.ctr}", self._now, purse=self._purse,
                terminal=record.terminal.number if record.terminal else None,
            )  # fmt: skip
            return Reason.NONE
        expired = any(
            grant.expired_at is not None
            for grant in self._facts.grants.values()
            if grant.slot in drawn and grant.state == "on_card"
        )
        return Reason.EXPIRED if expired else Reason.OVERDRAWN

    def _wanted_dead(
        self, judgement: Judgement, record: KnownRecord, row: PostingRow
    ) -> tuple[Positions, Reason]:
        """Off the live branch: only a proven claim keeps money, and that from exposure."""
        if not judgement.proven:
            contradicted = judgement.state is PostingState.CONTRADICTED
            return {}, Reason.CONTRADICTED if contradicted else Reason.UNPROVEN
        if row.is_void or record.terminal is None:
            return {}, Reason.FORK_DEAD
        paid = self._is_paid(row)
        wanted: Positions = {}
        for slot, cents in judgement.amounts.items():
            exposure = self._slots.exposure(slot, record)
            if exposure is not None:
                holder = (
                    self._payable(exposure, record)
                    if paid
                    else self._suspense(exposure, row, Reason.FORK_DEAD, record)
                )
                wanted[slot] = {(exposure, holder): cents}
        return wanted, Reason.FORK_DEAD

    def _wanted_void(
        self, judgement: Judgement, record: KnownRecord, row: PostingRow, reason: Reason
    ) -> tuple[Positions, Reason]:
        """A void undoes its sale where that lies; unproven, of a day that its till had closed, or
        without its till's word, it only holds the money back."""
        sale = self._voided(record)
        if sale is None:
            return {}, reason or Reason.ENTRY_MISSING
        stood = row.state == PostingState.PROVEN and not row.reason
        holds = judgement.proven and (stood or reason not in FOR_PEOPLE)
        if row.merchant_id is None:  # its till has not told of it, but of the sale
            row.merchant_id = sale.merchant_id
        wanted: Positions = {}
        if self._unit.settlement.returns_of(sale.id):  # its goods came back twice
            raise_alarm(
                self._unit, "VOID_AFTER_RETURN", f"posting {sale.id}", self._now,
                purse=self._purse, terminal=sale.terminal,
            )  # fmt: skip
        given = self._refunded(sale)
        if given:
            self._alarm_on_disproved(sale)
        for slot, position in self._positions(sale).items():
            left = {
                place: cents - _given_of(given, slot, place) for place, cents in position.items()
            }
            undone = take_back(judgement.amounts.get(slot, 0), left)
            if holds:
                wanted[slot] = {place: -cents for place, cents in undone.items()}
            else:
                held_for = Reason.UNPROVEN if not judgement.proven else reason
                wanted[slot] = self._held_back(undone, row, record, held_for)
        return wanted, Reason.NONE if holds else reason

    def _held_back(
        self, undone: Mapping[Place, int], row: PostingRow, record: KnownRecord, reason: Reason
    ) -> dict[Place, int]:
        held: dict[Place, int] = {}
        for (origin, holder), cents in undone.items():
            if holder.kind is AccountKind.PAYABLE:
                held[origin, holder] = -cents
                held[origin, self._suspense(origin, row, reason, record)] = cents
        return held

    def _is_paid(self, row: PostingRow) -> bool:
        """Whether a batch pays it: a correction has to go through people then."""
        return bool(row.parts) and self._unit.verdicts.is_batched(row.id)

    def _alarm_on_denied(self, row: PostingRow) -> None:
        """Its till parked it, was paid as the card proves it, and signed then that it was none."""
        raise_alarm(
            self._unit, "SALE_DENIED_WHEN_PAID", f"posting {row.id}", self._now,
            purse=self._purse, terminal=row.terminal,
        )  # fmt: skip

    def _voided(self, record: KnownRecord) -> PostingRow | None:
        """The sale that a void's intent names; without one, that over which the card has it."""
        for row in self._rows.values():
            below = row.live and row.ctr == record.row.ctr - 1
            if not below or row.terminal != record.spend.terminal:
                continue
            if record.intent is None:
                named = row.record_hash[:PREV_SIZE] == record.spend.prev and not row.is_void
            else:
                named = row.intent_seq == record.intent.voided_seq
            if named:
                return row
        return None

    def _holder(
        self, origin: Account, row: PostingRow, record: KnownRecord, reason: Reason
    ) -> Account:
        if reason is Reason.NOT_APPLIED:
            return same_pot(origin, AccountKind.REFUND_DUE)
        if reason:
            return self._suspense(origin, row, reason, record)
        return self._payable(origin, record)

    def _payable(self, origin: Account, record: KnownRecord) -> Account:
        assert record.terminal is not None
        return same_pot(origin, AccountKind.PAYABLE, merchant=record.terminal.merchant_id)

    def _suspense(
        self, origin: Account, row: PostingRow, reason: Reason, record: KnownRecord
    ) -> Account:
        """The suspense account of the posting's case, which is opened or goes on."""
        case = case_for(self._unit, row, reason, entry_ref=record.closing_ref, now=self._now)
        case.entry_ref = record.closing_ref
        return same_pot(origin, AccountKind.SUSPENSE, case=case.id)

    # --- what is ----------------------------------------------------------------------------

    def _positions(self, row: PostingRow) -> Positions:
        positions: Positions = {}
        for part in row.parts:
            place = (
                self._unit.ledger.account(part.origin_id),
                self._unit.ledger.account(part.holder_id),
            )
            positions.setdefault(part.slot, {})[place] = part.cents
        return positions

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
        sale = self._voided(record) if row.is_void else None
        if sale is None:
            return
        returned: Counter[Account] = Counter()
        for position in wanted.values():
            returned.update(covers.returned_by(position))
        for position in current.values():
            returned.subtract(covers.returned_by(position))
        self._pending += covers.follow_void(self._unit, sale, returned, row.event_time)

    def _store_parts(self, row: PostingRow, wanted: Positions) -> None:
        if row.parts:
            row.parts = []
            self._unit.flush()
        row.parts = [
            PostingPartRow(
                slot=slot, origin_id=self._unit.ledger.row(origin).id,
                holder_id=self._unit.ledger.row(holder).id, cents=cents,
            )
            for slot, position in wanted.items()
            for (origin, holder), cents in position.items()
            if cents
        ]  # fmt: skip

    def _close_case_if_done(self, row: PostingRow) -> None:
        if row.case_id is None:
            return
        suspended = (
            cents
            for position in self._positions(row).values()
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


def _is_unknown(row: PostingRow, judgement: Judgement, record: KnownRecord) -> bool:
    """Whether nobody can tell what a sale took, and its till, being lost, never will."""
    lost = record.terminal is not None and record.terminal.lost_at is not None
    untold = lost and record.intent is None
    return untold and judgement.live and judgement.amount_open and not row.is_void


def _given_of(given: Mapping[Wallet, int], slot: int, place: Place) -> int:
    """What grants took of a place of a sale, which nothing can take back there."""
    _origin, holder = place
    return given.get(wallet_of(slot, holder), 0) if holder.kind is AccountKind.REFUND_DUE else 0


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
