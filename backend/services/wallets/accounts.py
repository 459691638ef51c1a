"""Which account a row's money is in, and one transfer between two."""

from backend.adapters.tables.cards import LoadOrderRow
from backend.adapters.unit_of_work import Unit
from backend.domain.ledger import Account, AccountKind, Pot, Ref, Transfer, TransferKind
from cardlib.wire.money import Money


def pot_of_order(order: LoadOrderRow, kind: AccountKind) -> Account:
    """An account of the order's programme and funding source."""
    return _pot(order).account(kind)


def slot_of_order(order: LoadOrderRow, kind: AccountKind = AccountKind.ON_CARD) -> Account:
    """What the order's slot holds of its programme and funding source."""
    return _pot(order).account(kind, purse=order.purse_id, slot=order.slot)


def same_pot(account: Account, kind: AccountKind, **ids: int | None) -> Account:
    """Another account of the same municipality, programme and funding source."""
    return account.pot.account(kind, **ids)


def move_now(
    unit: Unit, kind: TransferKind, source: Account, target: Account, money: Money, ref: Ref,
    now: int,
) -> None:  # fmt: skip
    """One transfer of what happens now, in Unix seconds."""
    transfer = Transfer(
        kind=kind, source=source, target=target, money=money, event_time=now, ref=ref
    )
    unit.ledger.post([transfer], now)


def _pot(order: LoadOrderRow) -> Pot:
    return Pot(order.programme.municipality_id, order.programme_id, order.funding_source_id)
