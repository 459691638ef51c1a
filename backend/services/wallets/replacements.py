"""Orders that bring the money of a lost card onto a new one (PROTOCOL 7)."""

from backend.adapters.tables.acts import PurseBlockRow
from backend.adapters.tables.cards import CardGrantRow, LoadOrderRow, PurseRow
from backend.adapters.unit_of_work import Unit
from backend.domain.ledger import Account, AccountKind
from backend.domain.replacement import reserve
from backend.domain.states import STANDING, GrantState, OrderSource, OrderState
from backend.errors import ConflictError
from backend.services.alarms import raise_alarm
from backend.services.refunds import refunds_due
from backend.services.terminals.bundles import STOP_DAYS
from backend.services.terminals.marks import mark_of_purse
from backend.services.wallets import grants
from cardlib.codec.purse import Grant


def order_blocked(unit: Unit, block: PurseBlockRow, old: PurseRow, now: int) -> list[int]:
    """Orders what is blocked and not ordered yet, less the reserves; the orders' ids.

    No reserve once the purse's mark has passed the block.
    """
    known = mark_of_purse(unit, old).passed(block.blocked_at)
    if known:
        block.rest_ordered_at = now
    orders: list[int] = []
    for grant in unit.cards.grants_of(old.id):
        if grant.state == GrantState.ON_CARD:
            orders += _order_wallet(unit, block, old, grant, now, final=known)
    return orders


def order_rest(unit: Unit, block: PurseBlockRow, now: int) -> bool:
    """What had been held back, when no late sale can claim it; whether it was ordered.

    Where another programme has its slot by now, an alarm tells a person, and it waits.
    """
    old = unit.cards.purse_by_id(block.purse_id)
    if not mark_of_purse(unit, old).passed(block.blocked_at):
        return False
    try:
        return bool(order_blocked(unit, block, old, now))
    except ConflictError as error:
        block.rest_ordered_at = None
        slot = int(error.facts["slot"])
        raise_alarm(unit, error.code, f"block {block.id}", now, purse=old, slot=slot)
        return False


def _order_wallet(
    unit: Unit, block: PurseBlockRow, old: PurseRow, grant: CardGrantRow, now: int, *, final: bool
) -> list[int]:
    limit = Grant.decode(grant.grant).day_limit_eur
    orders: list[int] = []
    for account, blocked in unit.ledger.present_accounts(old.id, grant.slot):
        if account.kind is not AccountKind.BLOCKED:
            continue
        held = 0 if final else reserve(blocked, limit, STOP_DAYS)
        cents = blocked - held - _on_order(unit, old, account)
        if cents > 0:
            orders.append(_order(unit, block, account, cents, now))
    return orders


def _on_order(unit: Unit, old: PurseRow, account: Account) -> int:
    """Cents of the account that orders will take once they are signed."""
    return sum(
        order.delta_cents
        for order in unit.acts.orders_from(OrderSource.REPLACEMENT, old.id)
        if order.state == OrderState.APPROVED and order.slot == account.slot
        and (order.programme_id, order.funding_source_id)
        == (account.programme, account.funding_source)
    )  # fmt: skip


def _order(unit: Unit, block: PurseBlockRow, account: Account, cents: int, now: int) -> int:
    assert account.slot is not None
    assert account.programme is not None
    new = _newest_card(unit, block)
    check_slot(unit, new, account.slot, account.programme)
    order = LoadOrderRow(
        purse_id=new, slot=account.slot, programme_id=account.programme,
        funding_source_id=account.funding_source, source=OrderSource.REPLACEMENT,
        source_id=block.purse_id, delta_cents=cents, requested_by=block.requested_by,
        approved_by=block.approved_by, approved_at=now,
    )  # fmt: skip
    unit.add(order)
    return order.id


def _newest_card(unit: Unit, block: PurseBlockRow) -> int:
    """Row id of the purse that replaced the blocked one; the last, where that was lost, too."""
    assert block.replaced_by is not None
    later = unit.acts.open_block(block.replaced_by)
    if later is None or later.replaced_by is None:
        return block.replaced_by
    return _newest_card(unit, later)


def check_slot(unit: Unit, purse_id: int, slot: int, programme: int) -> None:
    """ConflictError ``REPLACEMENT_SLOT_TAKEN`` when another programme has the slot."""
    for order in unit.cards.orders_of(purse_id, *STANDING):
        if order.slot == slot and order.programme_id != programme:
            raise ConflictError("REPLACEMENT_SLOT_TAKEN", slot=slot)


def is_gone(unit: Unit, order: LoadOrderRow) -> bool:
    """Whether nothing is left of what an unsigned order would take."""
    return order.state == OrderState.APPROVED and _held_for(unit, order) <= 0


def fit_to_source(unit: Unit, order: LoadOrderRow) -> None:
    """An unsigned order never takes more than late sales, voids and forks have left it.

    ConflictError ``ORDER_MONEY_GONE`` when that is nothing; orders of awards and signed ones
    are left alone.
    """
    if order.state != OrderState.APPROVED:
        return
    held = _held_for(unit, order)
    if held <= 0:
        raise ConflictError("ORDER_MONEY_GONE", order=order.id)
    order.delta_cents = min(order.delta_cents, held)


def _held_for(unit: Unit, order: LoadOrderRow) -> int:
    if order.source == OrderSource.REFUND:
        return min(order.delta_cents, refunds_due.available_for(unit, order))
    if order.source == OrderSource.REPLACEMENT:
        return unit.ledger.balance(grants.source_account(order))
    return order.delta_cents
