"""Where the money of each record of a purse should lie, and why (PROTOCOL 7)."""

from collections.abc import Mapping

from backend.adapters.tables.cards import PurseRow
from backend.adapters.tables.verdicts import PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.ledger import Account, AccountKind
from backend.domain.positions import Place, take_back
from backend.domain.replacement import all_stopped_at
from backend.domain.verdicts import PREV_SIZE, Judgement, PostingState
from backend.services.alarms import raise_alarm
from backend.services.refunds import refunds_due
from backend.services.refunds.refunds_due import Wallet, wallet_of
from backend.services.terminals.bundles import STOP_DAYS
from backend.services.verdicts.claim_rules import HOLDS_BACK, Reason, claim_problem
from backend.services.verdicts.posted import Positions, positions_of
from backend.services.verdicts.purse_facts import KnownRecord, PurseFacts
from backend.services.verdicts.slot_accounts import SlotAccounts
from backend.services.verdicts.waiting_cases import case_for
from backend.services.wallets.accounts import same_pot


class Placement:
    """What each judgement means for the money, by what the books hold now.

    ``rows``: the purse's postings by record hash, as far as they are brought up to date.
    """

    def __init__(
        self, unit: Unit, purse: PurseRow, facts: PurseFacts, slots: SlotAccounts,
        rows: Mapping[bytes, PostingRow], now: int,
    ) -> None:  # fmt: skip
        self._unit = unit
        self._purse = purse
        self._facts = facts
        self._slots = slots
        self._rows = rows
        self._now = now

    def of(
        self, judgement: Judgement, record: KnownRecord, row: PostingRow, current: Positions
    ) -> tuple[Positions, Reason]:
        """The position that ``judgement`` wants for each slot, and the reason if not payable.

        ``current``: where the money of ``row`` lies. Opens the case that suspense needs.
        """
        if not judgement.live:
            return self._wanted_dead(judgement, record, row)
        reason = claim_problem(self._unit, self._facts, record, judgement)
        if row.is_void:
            return self._wanted_void(judgement, record, row, reason)
        if reason is Reason.NOT_APPLIED and self._is_paid(row):
            self._alarm_on_denied(row)
            reason = Reason.NONE
        if is_unknown(row, judgement, record):
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

    def alarm_on_disproved(self, row: PostingRow) -> None:
        """What people decided, or a grant has given back, is not what the card shows."""
        code, ref = "CASE_DISPROVED", f"case {row.case_id}"
        if refunds_due.given_if_due(self._unit, row):
            code, ref = "REFUND_DISPROVED", f"posting {row.id}"
        raise_alarm(self._unit, code, ref, self._now, purse=self._purse, case=row.case_id or 0)

    def voided(self, record: KnownRecord) -> PostingRow | None:
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
            grant.row.expired_at is not None
            for grant in self._facts.grants.values()
            if grant.row.slot in drawn and grant.row.state == "on_card"
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
        sale = self.voided(record)
        if sale is None:
            return {}, reason or Reason.ENTRY_MISSING
        stood = row.state == PostingState.PROVEN and not row.reason
        holds = judgement.proven and (stood or reason not in HOLDS_BACK)
        if row.merchant_id is None:  # its till has not told of it, but of the sale
            row.merchant_id = sale.merchant_id
        wanted: Positions = {}
        if self._unit.settlement.returns_of(sale.id):  # its goods came back twice
            raise_alarm(
                self._unit, "VOID_AFTER_RETURN", f"posting {sale.id}", self._now,
                purse=self._purse, terminal=sale.terminal,
            )  # fmt: skip
        given = refunds_due.given_if_due(self._unit, sale)
        if given:
            self.alarm_on_disproved(sale)
        for slot, position in positions_of(self._unit, sale).items():
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


def is_unknown(row: PostingRow, judgement: Judgement, record: KnownRecord) -> bool:
    """Whether nobody can tell what a sale took, and its till, being lost, never will."""
    lost = record.terminal is not None and record.terminal.lost_at is not None
    untold = lost and record.intent is None
    return untold and judgement.live and judgement.amount_open and not row.is_void


def _given_of(given: Mapping[Wallet, int], slot: int, place: Place) -> int:
    """What grants took of a place of a sale, which nothing can take back there."""
    _origin, holder = place
    return given.get(wallet_of(slot, holder), 0) if holder.kind is AccountKind.REFUND_DUE else 0
