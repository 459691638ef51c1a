"""The ledger's side of a settlement batch: payable, in_payment, paid (PROTOCOL 7).

The parts of a posting stay where the verdict put them (payable): that it was batched is
said by its line, and a later correction becomes a negative payable, netted next time.
"""

from collections.abc import Mapping

from backend.adapters.tables.settlement import SettlementBatchRow
from backend.adapters.unit_of_work import Unit
from backend.domain.ledger import Account, AccountKind, Pot, Ref, RefKind, Transfer, TransferKind
from backend.domain.settlement import BatchState, advance
from backend.errors import ConflictError
from cardlib.wire.money import Money


def book_batch(
    unit: Unit, row: SettlementBatchRow, pots: Mapping[Pot, int], booked_at: int
) -> None:
    """Takes what a new batch pays out of the merchant's payable accounts."""
    transfers = [
        Transfer(
            kind=TransferKind.BATCH, source=_account(AccountKind.PAYABLE, pot, row),
            target=_account(AccountKind.IN_PAYMENT, pot, row), money=Money(cents),
            event_time=row.created_at, ref=Ref(RefKind.BATCH, str(row.id)),
        )
        for pot, cents in sorted(pots.items(), key=str) if cents
    ]  # fmt: skip
    unit.ledger.post(transfers, booked_at)


def fail_batch(
    unit: Unit, row: SettlementBatchRow, ref: Ref, event_time: int, booked_at: int
) -> None:
    """The batch's money is payable again; its postings wait for the next batch."""
    row.state = advance(row.id, BatchState(row.state), BatchState.FAILED)
    move_batch(unit, row, AccountKind.PAYABLE, TransferKind.FAILED, ref, event_time, booked_at)


def move_batch(
    unit: Unit, row: SettlementBatchRow, to: AccountKind, kind: TransferKind, ref: Ref,
    event_time: int, booked_at: int,
) -> None:  # fmt: skip
    """Moves what a batch holds in_payment to accounts of kind ``to``, pot by pot."""
    transfers = [
        Transfer(
            kind=kind, source=_account(AccountKind.IN_PAYMENT, pot, row),
            target=_account(to, pot, row), money=Money(cents), event_time=event_time, ref=ref,
        )
        for pot, cents in batch_pots(unit, row).items()
    ]  # fmt: skip
    unit.ledger.post(transfers, booked_at)


def hold_line(unit: Unit, row: SettlementBatchRow, pots: Mapping[Pot, int], booked_at: int) -> None:
    """Gives back what the batch took for a line, and for what waits with it.

    ConflictError ``LINE_POT_OWES`` where that, or what stays, would be less than nothing.
    """
    held = batch_pots(unit, row)
    if any(not 0 <= cents <= held.get(pot, 0) for pot, cents in pots.items()):
        raise ConflictError("LINE_POT_OWES", batch=row.id)
    transfers = [
        Transfer(
            kind=TransferKind.LINE_HELD, source=_account(AccountKind.IN_PAYMENT, pot, row),
            target=_account(AccountKind.PAYABLE, pot, row), money=Money(cents),
            event_time=booked_at, ref=Ref(RefKind.BATCH, str(row.id)),
        )
        for pot, cents in sorted(pots.items(), key=str) if cents > 0
    ]  # fmt: skip
    unit.ledger.post(transfers, booked_at)


def batch_pots(unit: Unit, row: SettlementBatchRow) -> dict[Pot, int]:
    """What the batch holds of each pot: what it took, less what a review held back."""
    held: dict[Pot, int] = {}
    document = RefKind.BATCH, str(row.id)
    for item in unit.ledger.transfers_of(*document, TransferKind.BATCH):
        pot = unit.ledger.account(item.source_id).pot
        held[pot] = held.get(pot, 0) + item.cents
    for item in unit.ledger.transfers_of(*document, TransferKind.LINE_HELD):
        held[unit.ledger.account(item.source_id).pot] -= item.cents
    return {pot: cents for pot, cents in held.items() if cents}


def _account(kind: AccountKind, pot: Pot, row: SettlementBatchRow) -> Account:
    return pot.account(kind, merchant=row.merchant_id)
