"""What the municipality decided: money, awards, orders and grants."""

from collections.abc import Iterator

from backend.adapters.tables.cards import LoadOrderRow
from backend.domain.states import OrderSource
from backend.services.export.naming import Naming, Row


def fundings(naming: Naming) -> Iterator[Row]:
    """What funders gave, and got back."""
    for row in naming.unit.programmes.fundings():
        yield naming.pot(row.programme_id, row.funding_source_id) | {
            "funding": row.id, "amount_cents": row.cents, "act": row.act,
            "booked_by": row.booked_by, "booked_at": row.booked_at,
        }  # fmt: skip


def awards(naming: Naming) -> Iterator[Row]:
    """What households were promised."""
    for row in naming.unit.programmes.awards():
        yield naming.pot(row.programme_id, row.funding_source_id) | {
            "award": row.id, "amount_cents": row.cents,
            "withdrawn_cents": row.withdrawn_cents, "act": row.act,
            "requested_by": row.requested_by,
            "approved_by": row.approved_by, "approved_at": row.approved_at,
        }  # fmt: skip


def orders(naming: Naming) -> Iterator[Row]:
    """Load orders, and where their money comes from."""
    for row in naming.unit.cards.orders():
        yield (
            naming.pot(row.programme_id, row.funding_source_id)
            | naming.purse(row.purse_id)
            | {
                "order": row.id, "source": row.source, "source_ref": _source(naming, row),
                "award": row.award_id, "slot": row.slot, "delta_cents": row.delta_cents,
                "carried_over_cents": row.carried_over_cents, "state": row.state,
                "requested_by": row.requested_by,
                "approved_by": row.approved_by, "approved_at": row.approved_at,
            }
        )  # fmt: skip


def grants(naming: Naming) -> Iterator[Row]:
    """The grants as they were signed."""
    for row in naming.unit.cards.grants():
        yield naming.purse(row.purse_id) | {
            "order": row.order_id, "info_core": row.info_core.hex(),
            "grant": row.grant.hex(), "signature": row.signature.hex(),
            "state": row.state, "confirmed_by": row.confirmed_by,
        }  # fmt: skip


def _source(naming: Naming, order: LoadOrderRow) -> str | None:
    """The document that the money of an order comes from."""
    if order.return_id is not None:
        return f"return:{order.return_id}"
    if order.source == OrderSource.AWARD or order.source_id is None:
        return None if order.source_id is None else str(order.source_id)
    if order.source == OrderSource.REFUND:
        return naming.document(naming.unit.verdicts.posting(order.source_id))
    purse = naming.purse(order.source_id)
    return f"{purse['issuer']}:{purse['purse']}"
