"""A card is declared lost or stolen, found again, or replaced by a new one (PROTOCOL 7)."""

from dataclasses import dataclass

from backend.adapters.tables.acts import PurseBlockRow
from backend.adapters.tables.cards import PurseRow
from backend.adapters.unit_of_work import Unit
from backend.domain.people import check_person, check_two_people
from backend.domain.states import OrderState, PurseState
from backend.errors import BadInputError, ConflictError
from backend.services.alarms import hotlist
from backend.services.unit_of_work import Work
from backend.services.wallets.present import keep_in_place
from backend.services.wallets.replacements import check_slot, order_blocked
from cardlib.ports import Clock
from cardlib.wire.ids import PurseId

CODES = ("CARD_LOST", "CARD_STOLEN")


@dataclass(frozen=True, slots=True)
class CardOffice:
    """The use cases; people are named by whoever calls."""

    work: Work
    clock: Clock

    def block(self, purse: PurseId, code: str, *, by: str) -> int:
        """Tills refuse the purse from their next bundle on, its money is set aside; the block.

        Loads wait. Again changes nothing. BadInputError ``BLOCK_CODE_BAD`` unless ``code``
        is one of ``CODES``; ConflictError ``PURSE_REPLACED``.
        """
        if code not in CODES:
            raise BadInputError("BLOCK_CODE_BAD", reason=code)
        check_person(by)
        now = self._now()
        with self.work.begin() as unit:
            row = unit.cards.purse(purse)
            standing = unit.acts.open_block(row.id)
            if row.state == PurseState.REPLACED:
                raise ConflictError("PURSE_REPLACED", purse=str(purse))
            if standing is not None:
                return standing.id
            made = PurseBlockRow(purse_id=row.id, code=code, blocked_at=now, recorded_by=by)
            unit.add(made)
            row.state = PurseState.BLOCKED
            hotlist(row, code, now)
            keep_in_place(unit, row, unit.cards.grants_of(row.id), now)
            unit.commit()
            return made.id

    def unblock(self, purse: PurseId, *, requested_by: str, approved_by: str) -> None:
        """The card was found: its money can be spent again. ConflictError ``BLOCK_UNKNOWN``.

        One person blocks at once; two open again: NotPermittedError ``SAME_PERSON``. A purse that
        is on the hotlist for another reason stays there.
        """
        check_two_people(requested_by, approved_by)
        now = self._now()
        with self.work.begin() as unit:
            row = unit.cards.purse(purse)
            block = unit.acts.open_block(row.id)
            if block is None or row.state != PurseState.BLOCKED:
                raise ConflictError("BLOCK_UNKNOWN")
            block.ended_at, block.ended_by, row.state = now, requested_by, PurseState.ACTIVE
            block.end_approved_by = approved_by
            if row.hotlist_code in CODES:
                row.hotlisted_at, row.hotlist_code = None, None
            keep_in_place(unit, row, unit.cards.grants_of(row.id), now)
            unit.commit()

    def replace(
        self, old: PurseId, new: PurseId, *, requested_by: str, approved_by: str
    ) -> list[int]:
        """Orders the money of a blocked purse onto a new one; the orders' ids.

        A reserve for late sales stays until every till has told of the time of the block;
        the day's end then orders it too. What waited for the old card waits for the new one.
        NotPermittedError ``SAME_PERSON``; ConflictError ``BLOCK_UNKNOWN``,
        ``PURSE_REPLACED``, ``PURSE_NOT_ACTIVE``, ``PURSE_OF_OTHER_TOWN``,
        ``REPLACEMENT_SLOT_TAKEN``.
        """
        check_two_people(requested_by, approved_by)
        now = self._now()
        with self.work.begin() as unit:
            lost, fresh = unit.cards.purse(old), unit.cards.purse(new)
            block = unit.acts.open_block(lost.id)
            if block is None:
                raise ConflictError("BLOCK_UNKNOWN")
            _check_pair(lost, fresh, new)
            block.replaced_by, block.replaced_at = fresh.id, now
            block.requested_by, block.approved_by = requested_by, approved_by
            lost.state, fresh.holder = PurseState.REPLACED, fresh.holder or lost.holder
            orders = order_blocked(unit, block, lost, now)
            _bring_waiting(unit, lost, fresh)
            unit.commit()
        return orders

    def _now(self) -> int:
        return self.clock.unix_ms() // 1000


def _check_pair(lost: PurseRow, fresh: PurseRow, new: PurseId) -> None:
    if lost.state == PurseState.REPLACED:
        raise ConflictError("PURSE_REPLACED", purse=str(new))
    if fresh.id == lost.id or fresh.state != PurseState.ACTIVE or fresh.hotlisted_at is not None:
        raise ConflictError("PURSE_NOT_ACTIVE", purse=str(new))
    if fresh.municipality_id != lost.municipality_id:
        raise ConflictError("PURSE_OF_OTHER_TOWN", purse=str(new))


def _bring_waiting(unit: Unit, lost: PurseRow, fresh: PurseRow) -> None:
    """Approved orders that nobody has signed go to the new purse."""
    for order in unit.cards.orders_of(lost.id, OrderState.APPROVED):
        check_slot(unit, fresh.id, order.slot, order.programme_id)
        order.purse = fresh
