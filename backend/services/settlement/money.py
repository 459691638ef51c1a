"""The ledger's side of a settlement batch: payable, in_payment, paid (PROTOCOL 7).

The parts of a posting stay where the verdict put them (payable): that it was batched is
said by its line, and a later correction becomes a negative payable, netted next time.
"""

from collections.abc import Mapping

from backend.adapters.tables.settlement import SettlementBatchRow
from backend.adapters.unit_of_work import Unit
from backend.domain.ledger import Account, AccountKind, Ref, RefKind, Transfer, TransferKind
from backend.domain.settlement import BatchState, Pot, advance
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
        for pot, cents in _booked_pots(unit, row)
    ]  # fmt: skip
    unit.ledger.post(transfers, booked_at)


def _booked_pots(unit: Unit, row: SettlementBatchRow) -> list[tuple[Pot, int]]:
    """What the batch took from each pot when it was drawn up, as the ledger has it."""
    booked = unit.ledger.transfers_of(RefKind.BATCH, str(row.id), TransferKind.BATCH)
    return [(unit.ledger.account(item.source_id).pot, item.cents) for item in booked]


def _account(kind: AccountKind, pot: Pot, row: SettlementBatchRow) -> Account:
    municipality, programme, funding_source = pot
    return Account(
        kind=kind, municipality=municipality, programme=programme,
        funding_source=funding_source, merchant=row.merchant_id,
    )  # fmt: skip
