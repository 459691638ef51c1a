"""What a purse is owed for one sale, and what of it was given already (PROTOCOL 7: refund_due).

``refund_due`` is one account for a whole pot. What is one sale's, and that it is given once
only, is told here by the sale's posting, the void above it, and the orders that name it.
"""

from collections.abc import Iterable
from typing import TypeAlias

from backend.adapters.tables.cards import LoadOrderRow
from backend.adapters.tables.settlement import GoodsReturnRow
from backend.adapters.tables.verdicts import PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.ledger import Account, AccountKind
from backend.domain.states import OrderSource, OrderState
from backend.services.verdicts.posted import void_above

Wallet: TypeAlias = tuple[int, int | None, int | None]
"""Slot, programme, funding source."""


def owed(unit: Unit, posting: PostingRow) -> dict[Wallet, int]:
    """Cents that a sale left in refund_due, less what a void of it took back; above zero."""
    cents = _due_in(unit, posting)
    void = void_above(unit, posting)
    for wallet, taken in ({} if void is None else _due_in(unit, void)).items():
        cents[wallet] = cents.get(wallet, 0) + taken
    return {wallet: due for wallet, due in cents.items() if due > 0}


def ordered(unit: Unit, posting: PostingRow, but: LoadOrderRow | None = None) -> dict[Wallet, int]:
    """Cents that orders take of it, signed or not; ``but`` one that is not to count."""
    orders = unit.acts.orders_from(OrderSource.REFUND, posting.id)
    return _sum(order for order in orders if but is None or order.id != but.id)


def given_if_due(unit: Unit, posting: PostingRow) -> dict[Wallet, int]:
    """As :func:`given`, of a sale that lies in refund_due; nothing of any other posting."""
    holders = (unit.ledger.account(part.holder_id) for part in posting.parts)
    if posting.is_void or not any(item.kind is AccountKind.REFUND_DUE for item in holders):
        return {}
    return given(unit, posting)


def given(unit: Unit, posting: PostingRow) -> dict[Wallet, int]:
    """Cents of it in grants that were signed and are not void: it can't be taken back."""
    orders = unit.acts.orders_from(OrderSource.REFUND, posting.id)
    return _sum(order for order in orders if order.state != OrderState.APPROVED)


def available_for(unit: Unit, order: LoadOrderRow) -> int:
    """Cents that an order of a refund may take: the sale's other orders keep theirs."""
    if order.return_id is not None:
        return left_of_return(unit, unit.settlement.goods_return(order.return_id), but=order)
    assert order.source_id is not None
    posting = unit.verdicts.posting(order.source_id)
    wallet = wallet_of(order.slot, order)
    others = ordered(unit, posting, but=order).get(wallet, 0)
    return owed(unit, posting).get(wallet, 0) - others


def left_of_return(unit: Unit, row: GoodsReturnRow, but: LoadOrderRow | None = None) -> int:
    """Cents of a return of goods that no order takes; ``but`` one that is not to count."""
    orders = unit.settlement.orders_of_return(row.id)
    taken = (order.delta_cents for order in orders if but is None or order.id != but.id)
    return row.cents - sum(taken)


def wallet_of(slot: int, pot: Account | LoadOrderRow) -> Wallet:
    """The wallet of a slot, as the pot of an account or of an order says it."""
    if isinstance(pot, Account):
        return slot, pot.programme, pot.funding_source
    return slot, pot.programme_id, pot.funding_source_id


def _due_in(unit: Unit, posting: PostingRow) -> dict[Wallet, int]:
    cents: dict[Wallet, int] = {}
    for part in posting.parts:
        account = unit.ledger.account(part.holder_id)
        if account.kind is AccountKind.REFUND_DUE:
            wallet = wallet_of(part.slot, account)
            cents[wallet] = cents.get(wallet, 0) + part.cents
    return cents


def _sum(orders: Iterable[LoadOrderRow]) -> dict[Wallet, int]:
    cents: dict[Wallet, int] = {}
    for order in orders:
        wallet = wallet_of(order.slot, order)
        cents[wallet] = cents.get(wallet, 0) + order.delta_cents
    return cents
