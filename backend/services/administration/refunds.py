"""What a purse is owed goes back onto it by a new grant (PROTOCOL 7: refund_due → loading)."""

from dataclasses import dataclass

from backend.adapters.tables.cards import LoadOrderRow
from backend.adapters.tables.verdicts import PostingPartRow, PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.ledger import AccountKind
from backend.errors import ConflictError, UnknownError
from backend.services.administration.programmes import check_two_people
from backend.services.replacements import check_slot
from backend.services.unit_of_work import Work
from cardlib.ports import Clock
from cardlib.wire.ids import PurseId

SOURCE = "refund"


@dataclass(frozen=True, slots=True)
class RefundDesk:
    """The use case; people are named by whoever calls."""

    work: Work
    clock: Clock

    def order(
        self, terminal: int, seq: int, *, requested_by: str, approved_by: str,
        purse: PurseId | None = None,
    ) -> list[int]:  # fmt: skip
        """Orders what is due for a sale, by its intent's or entry's number; the orders' ids.

        Onto the purse that was debited, or ``purse`` when that one is replaced. What was
        ordered before is not ordered again. NotPermittedError ``SAME_PERSON``; UnknownError
        ``SALE_NOT_FOUND``; ConflictError ``PURSE_NOT_ACTIVE``, ``REFUND_NOTHING_DUE``,
        ``REPLACEMENT_SLOT_TAKEN``.
        """
        check_two_people(requested_by, approved_by)
        with self.work.begin() as unit:
            posting = unit.acts.posting_of_sale(terminal, seq)
            if posting is None:
                raise UnknownError("SALE_NOT_FOUND", terminal=terminal, seq=seq)
            target = posting.purse_id if purse is None else unit.cards.purse(purse).id
            _check_target(unit, posting, target)
            orders = [
                self._order(unit, posting, part, target, requested_by, approved_by)
                for part in _due(unit, posting)
            ]
            if not orders:
                raise ConflictError("REFUND_NOTHING_DUE", terminal=terminal, seq=seq)
            unit.commit()
        return orders

    def _order(
        self, unit: Unit, posting: PostingRow, part: PostingPartRow, target: int,
        requested_by: str, approved_by: str,
    ) -> int:  # fmt: skip
        account = unit.ledger.account(part.holder_id)
        assert account.programme is not None
        check_slot(unit, target, part.slot, account.programme)
        order = LoadOrderRow(
            purse_id=target, slot=part.slot, programme_id=account.programme,
            funding_source_id=account.funding_source, source=SOURCE, source_id=posting.id,
            delta_cents=part.cents, requested_by=requested_by, approved_by=approved_by,
            approved_at=self.clock.unix_ms() // 1000,
        )  # fmt: skip
        unit.add(order)
        return order.id


def _due(unit: Unit, posting: PostingRow) -> list[PostingPartRow]:
    """Parts that are due to the purse and that no order takes yet."""
    ordered = {
        (order.slot, order.programme_id, order.funding_source_id)
        for order in unit.acts.orders_from(SOURCE, posting.id)
    }
    due = []
    for part in posting.parts:
        account = unit.ledger.account(part.holder_id)
        place = (part.slot, account.programme, account.funding_source)
        if account.kind is AccountKind.REFUND_DUE and place not in ordered:
            due.append(part)
    return due


def _check_target(unit: Unit, posting: PostingRow, target: int) -> None:
    purse, debited = unit.cards.purse_by_id(target), unit.cards.purse_by_id(posting.purse_id)
    if purse.state != "active" or purse.municipality_id != debited.municipality_id:
        raise ConflictError("PURSE_NOT_ACTIVE", purse=purse.number.hex())
