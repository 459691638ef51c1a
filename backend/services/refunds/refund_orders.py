"""What a purse is owed goes back onto it by a new grant (PROTOCOL 7: refund_due → loading)."""

from dataclasses import dataclass

from backend.adapters.tables.cards import LoadOrderRow
from backend.adapters.tables.verdicts import PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.claim_window import window_end
from backend.domain.people import check_two_people
from backend.domain.states import OrderSource, PurseState
from backend.errors import ConflictError, UnknownError
from backend.services.refunds import refunds_due
from backend.services.refunds.refunds_due import Wallet
from backend.services.unit_of_work import Work
from backend.services.wallets.replacements import check_slot
from cardlib.ports import Clock
from cardlib.wire.ids import PurseId


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

        While its amount is open, only once the claim window is over.

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
            check_target(unit, posting, target)
            orders = [
                self._order(unit, posting, wallet, cents, target, requested_by, approved_by)
                for wallet, cents in self._due(unit, posting).items()
            ]
            if not orders:
                raise ConflictError("REFUND_NOTHING_DUE", terminal=terminal, seq=seq)
            unit.commit()
        return orders

    def _order(
        self, unit: Unit, posting: PostingRow, wallet: Wallet, cents: int, target: int,
        requested_by: str, approved_by: str,
    ) -> int:  # fmt: skip
        slot, programme, funding_source = wallet
        assert programme is not None
        check_slot(unit, target, slot, programme)
        order = LoadOrderRow(
            purse_id=target, slot=slot, programme_id=programme,
            funding_source_id=funding_source, source=OrderSource.REFUND, source_id=posting.id,
            delta_cents=cents, requested_by=requested_by, approved_by=approved_by,
            approved_at=self._now(),
        )  # fmt: skip
        unit.add(order)
        return order.id

    def _due(self, unit: Unit, posting: PostingRow) -> dict[Wallet, int]:
        """What is due to the purse and no order takes yet."""
        town = unit.cards.purse_by_id(posting.purse_id).municipality
        waits_until = window_end(posting.booked_at, town.claim_window_days)
        if posting.amount_open and self._now() < waits_until:
            return {}
        ordered = refunds_due.ordered(unit, posting)
        due = refunds_due.owed(unit, posting)
        return {wallet: cents for wallet, cents in due.items() if not ordered.get(wallet)}

    def _now(self) -> int:
        return self.clock.unix_ms() // 1000


def check_target(unit: Unit, posting: PostingRow, target: int) -> None:
    """ConflictError ``PURSE_NOT_ACTIVE`` unless ``target`` may get what the sale's purse is due."""
    purse, debited = unit.cards.purse_by_id(target), unit.cards.purse_by_id(posting.purse_id)
    if purse.state != PurseState.ACTIVE or purse.municipality_id != debited.municipality_id:
        raise ConflictError("PURSE_NOT_ACTIVE", purse=purse.number.hex())
