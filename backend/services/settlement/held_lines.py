"""A review takes a line out of its batch: its money waits for the next one, or in a case."""

from collections.abc import Iterable

from backend.adapters.tables.settlement import BatchLineRow, SettlementBatchRow
from backend.adapters.tables.verdicts import CaseRow
from backend.adapters.unit_of_work import Unit
from backend.domain.cases import Decision
from backend.domain.ledger import Account, AccountKind, Pot, Ref, Transfer, TransferKind
from backend.domain.settlement import HELD_STATES, LineState, Postponement
from backend.errors import ConflictError
from backend.services.settlement.money import hold_line
from backend.services.verdicts.posted import document_of, keep_parts, void_above
from backend.services.verdicts.waiting_cases import case_for
from backend.services.wallets.accounts import same_pot
from cardlib.wire.money import Money


class Holding:
    """One line inside one unit of work."""

    def __init__(self, unit: Unit, row: SettlementBatchRow, line: BatchLineRow, now: int) -> None:
        self._unit = unit
        self._row = row
        self._line = line
        self._now = now
        self._posting = unit.verdicts.posting(line.posting_id)

    def hold(self, to: LineState, note: str, by: str) -> None:
        """Takes it out for the reason ``note``; errors as ``ReviewOffice.hold`` says."""
        line = self._line
        check_included(line)
        if line.cents < 0:
            raise ConflictError("LINE_NOT_A_SALE", line=line.id)
        with_it = list(self._of_the_same_sale())
        if to is not LineState.POSTPONED:
            self._check_may_be_taken(with_it)
        hold_line(self._unit, self._row, self._pots([line, *with_it]), self._now)
        line.state, line.reason, line.note = to, HELD_STATES[to], note
        for other in with_it:
            other.state, other.reason = LineState.POSTPONED, Postponement.WITH_SALE
        for each in (line, *with_it):
            each.reviewed_by, each.reviewed_at = by, self._now
            each.replaces_id = None  # the line that is paid in the end names the failed one
            self._row.total_cents -= each.cents
        if to is not LineState.POSTPONED:
            self._suspend()

    def _of_the_same_sale(self) -> Iterable[BatchLineRow]:
        """Included lines that take of this sale: a void of it, returns."""
        void = void_above(self._unit, self._posting)
        for other in self._row.lines:
            of_it = other.return_id is not None and other.posting_id == self._posting.id
            voids = void is not None and other.posting_id == void.id
            if (of_it or voids) and other.state == LineState.INCLUDED:
                yield other

    def _check_may_be_taken(self, with_it: list[BatchLineRow]) -> None:
        voided = void_above(self._unit, self._posting) is not None
        if with_it or voided or self._unit.settlement.returns_of(self._posting.id):
            raise ConflictError("LINE_GIVEN_BACK", line=self._line.id)
        if self._posting.case_id is not None:
            case = self._unit.verdicts.case(self._posting.case_id)
            if case.by_people and case.decision != Decision.RELEASE:
                raise ConflictError("LINE_DECIDED", line=self._line.id, case=case.id)

    def _pots(self, lines: Iterable[BatchLineRow]) -> dict[Pot, int]:
        """What lines took of each pot, together; ConflictError ``LINE_CHANGED`` if not any more."""
        pots: dict[Pot, int] = {}
        for line in lines:
            parts = self._parts(line)
            if sum(parts.values()) != line.cents:
                raise ConflictError("LINE_CHANGED", line=line.id)
            for pot, cents in parts.items():
                pots[pot] = pots.get(pot, 0) + cents
        return pots

    def _parts(self, line: BatchLineRow) -> dict[Pot, int]:
        pots: dict[Pot, int] = {}
        if line.return_id is not None:
            return {self._unit.settlement.goods_return(line.return_id).pot: line.cents}
        for part in self._unit.verdicts.posting(line.posting_id).parts:
            holder = self._unit.ledger.account(part.holder_id)
            if holder.kind is AccountKind.PAYABLE:
                pots[holder.pot] = pots.get(holder.pot, 0) + part.cents
        return pots

    def _suspend(self) -> None:
        """Moves payable → suspense of a case that two people close."""
        posting, case = self._posting, self._case()
        document, transfers = document_of(self._unit, posting), list[Transfer]()
        parts: dict[tuple[int, int, Account], int] = {}
        for part in posting.parts:
            holder = self._unit.ledger.account(part.holder_id)
            target = same_pot(holder, AccountKind.SUSPENSE, case=case.id)
            transfers.append(self._transfer(holder, target, part.cents, document))
            place = part.slot, part.origin_id, target
            parts[place] = parts.get(place, 0) + part.cents
        self._unit.ledger.post(transfers, self._now)
        posting.reason = case.code
        held = {
            (slot, origin, self._unit.ledger.row(target).id): cents
            for (slot, origin, target), cents in parts.items()
        }
        keep_parts(self._unit, posting, held)

    def _case(self) -> CaseRow:
        posting, code = self._posting, self._line.reason
        entry = f"{posting.terminal}:{posting.closing_seq}" if posting.closing_seq else None
        return case_for(self._unit, posting, code, entry_ref=entry, now=self._now)

    def _transfer(self, source: Account, target: Account, cents: int, document: Ref) -> Transfer:
        return Transfer(
            kind=TransferKind.SUSPENDED, source=source, target=target, money=Money(cents),
            event_time=self._posting.event_time, ref=document,
        )  # fmt: skip


def check_included(line: BatchLineRow) -> None:
    """ConflictError ``LINE_STATE`` unless the batch pays the line."""
    if line.state != LineState.INCLUDED:
        raise ConflictError("LINE_STATE", line=line.id, state=line.state)
