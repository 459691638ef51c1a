"""The life of a grant in the books: signed, confirmed, void (PROTOCOL 7).

Every function works inside the caller's unit of work. A grant is confirmed by an
attested read, or by a proven state of the card that names it; confirming the same
grant again changes nothing.
"""

from backend.adapters.tables.cards import CardGrantRow, LoadOrderRow
from backend.adapters.unit_of_work import Unit
from backend.domain.ledger import Account, AccountKind, Ref, RefKind, TransferKind
from backend.domain.states import GrantState, OrderSource, OrderState
from backend.errors import ConflictError
from backend.services.wallets.accounts import move_now, pot_of_order, same_pot, slot_of_order
from cardlib.wire.money import Money

_SOURCES = {
    OrderSource.AWARD: AccountKind.COMMITTED,
    OrderSource.REFUND: AccountKind.REFUND_DUE,
    OrderSource.REPLACEMENT: AccountKind.BLOCKED,
}


def record_signed(unit: Unit, grant: CardGrantRow, now: int) -> None:
    """Stores a grant that was just signed for its order: committed → loading.

    ConflictError ``GRANT_SEQ_USED`` when its number was signed before for this purse,
    ``ORDER_ALREADY_SIGNED`` when the order has a grant that is not void.
    """
    order = unit.cards.order(grant.order_id)
    if any(known.state != GrantState.VOID for known in unit.cards.grants_of_order(order.id)):
        raise ConflictError("ORDER_ALREADY_SIGNED", order=order.id)
    if any(known.grant_seq == grant.grant_seq for known in unit.cards.grants_of(grant.purse_id)):
        raise ConflictError("GRANT_SEQ_USED", grant_seq=grant.grant_seq)
    unit.add(grant)
    order.state = OrderState.LOADING
    order.purse.grant_seq_high = max(order.purse.grant_seq_high, grant.grant_seq)
    _move(
        unit, order, TransferKind.GRANT_SIGNED,
        source_account(order), pot_of_order(order, AccountKind.LOADING), order.delta_cents, now,
    )  # fmt: skip


def confirm(unit: Unit, grant: CardGrantRow, *, by: str, now: int) -> None:
    """The card holds the grant: loading → on_card; the slot's earlier grant is superseded.

    ``by``: ``session:ID`` or ``entry:T:S``. The caller judges the purse afterwards, so
    that the grant covers what was posted before it was known.
    """
    if grant.state in {GrantState.ON_CARD, GrantState.SUPERSEDED}:
        return
    order = unit.cards.order(grant.order_id)
    if grant.state == GrantState.VOID:
        _revive(unit, grant, order, now)
    loading, on_card = pot_of_order(order, AccountKind.LOADING), slot_of_order(order)
    _move(unit, order, TransferKind.GRANT_CONFIRMED, loading, on_card, order.delta_cents, now)
    earlier = _on_card(unit, grant)
    grant.confirmed_at, grant.confirmed_by = now, by
    order.state = OrderState.ON_CARD
    if earlier is not None and earlier.grant_seq > grant.grant_seq:
        grant.state = GrantState.SUPERSEDED
        return
    if earlier is not None:
        earlier.state = GrantState.SUPERSEDED
        unit.flush()
    grant.state = GrantState.ON_CARD
    _revive_wallet(unit, order, now)
    _leave_rest(unit, grant, order, now)


def void(unit: Unit, grant: CardGrantRow, now: int) -> None:
    """The grant can no longer reach the card: loading → where it came from."""
    if grant.state != GrantState.LOADING:
        raise ConflictError("GRANT_NOT_LOADING", grant_seq=grant.grant_seq)
    order = unit.cards.order(grant.order_id)
    grant.state, order.state = GrantState.VOID, OrderState.VOID
    _move(
        unit, order, TransferKind.ORDER_VOID,
        pot_of_order(order, AccountKind.LOADING), source_account(order), order.delta_cents, now,
    )  # fmt: skip


def source_account(order: LoadOrderRow) -> Account:
    """Where the order's money comes from."""
    kind = _SOURCES[OrderSource(order.source)]
    if kind is AccountKind.BLOCKED:
        blocked = slot_of_order(order, kind)
        return same_pot(blocked, kind, purse=order.source_id, slot=order.slot)
    return pot_of_order(order, kind)


def _on_card(unit: Unit, grant: CardGrantRow) -> CardGrantRow | None:
    for known in unit.cards.grants_of(grant.purse_id):
        if known.slot == grant.slot and known.state == GrantState.ON_CARD:
            return known
    return None


def _revive(unit: Unit, grant: CardGrantRow, order: LoadOrderRow, now: int) -> None:
    """A card shows a grant that was held to be void; LedgerError when its money is gone."""
    _move(
        unit, order, TransferKind.GRANT_SIGNED,
        source_account(order), pot_of_order(order, AccountKind.LOADING), order.delta_cents, now,
    )  # fmt: skip
    grant.state = GrantState.LOADING


def _revive_wallet(unit: Unit, order: LoadOrderRow, now: int) -> None:
    """Expired rests of the same slot and programme can be spent again."""
    for account, balance in unit.ledger.present_accounts(order.purse_id, order.slot):
        expired = account.kind is AccountKind.EXPIRED_PENDING
        if expired and account.programme == order.programme_id:
            target = same_pot(account, AccountKind.ON_CARD, purse=account.purse, slot=account.slot)
            _move(unit, order, TransferKind.WALLET_REVIVED, account, target, balance, now)


def _leave_rest(unit: Unit, grant: CardGrantRow, order: LoadOrderRow, now: int) -> None:
    """What the new grant did not carry over has expired, as far as it was on the card."""
    left = grant.left_cents
    for account, balance in unit.ledger.present_accounts(order.purse_id, order.slot):
        loaded = order.delta_cents if account == slot_of_order(order) else 0
        cents = min(left, balance - loaded)
        expired = same_pot(account, AccountKind.EXPIRED)
        _move(unit, order, TransferKind.WALLET_LEFT, account, expired, cents, now)
        left -= max(cents, 0)


def _move(
    unit: Unit, order: LoadOrderRow, kind: TransferKind,
    source: Account, target: Account, cents: int, now: int,
) -> None:  # fmt: skip
    if cents > 0:
        ref = Ref(RefKind.ORDER, str(order.id))
        move_now(unit, kind, source, target, Money(cents), ref, now)
