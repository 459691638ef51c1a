"""Which account a row's money is in."""

from backend.adapters.tables.cards import LoadOrderRow
from backend.domain.ledger import Account, AccountKind


def pot_of_order(order: LoadOrderRow, kind: AccountKind) -> Account:
    """An account of the order's programme and funding source."""
    return Account(
        kind=kind, municipality=order.programme.municipality_id,
        programme=order.programme_id, funding_source=order.funding_source_id,
    )  # fmt: skip


def slot_of_order(order: LoadOrderRow, kind: AccountKind = AccountKind.ON_CARD) -> Account:
    """What the order's slot holds of its programme and funding source."""
    return Account(
        kind=kind, municipality=order.programme.municipality_id,
        programme=order.programme_id, funding_source=order.funding_source_id,
        purse=order.purse_id, slot=order.slot,
    )  # fmt: skip


def same_pot(account: Account, kind: AccountKind, **ids: int | None) -> Account:
    """Another account of the same municipality, programme and funding source."""
    return Account(
        kind=kind, municipality=account.municipality, programme=account.programme,
        funding_source=account.funding_source, **ids,
    )  # fmt: skip
