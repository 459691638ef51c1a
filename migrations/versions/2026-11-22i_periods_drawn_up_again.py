"""a period is settled by one batch that has not failed; one that failed no longer blocks it."""

import sqlalchemy as sa
from alembic import op

revision = "20261122i"
down_revision = "20261122h"
branch_labels = None
depends_on = None

_PERIOD = ["municipality_id", "merchant_id", "period_from", "period_to"]
_STANDS = sa.text("state <> 'failed'")


def upgrade() -> None:
    """Applies the change."""
    unique = sa.inspect(op.get_bind()).get_unique_constraints("settlement_batch")
    (name,) = (item["name"] for item in unique if item["column_names"] == _PERIOD)
    with op.batch_alter_table("settlement_batch", schema=None) as batch_op:
        batch_op.drop_constraint(str(name), type_="unique")
        batch_op.create_index(
            "uq_settlement_batch_period", _PERIOD, unique=True,
            sqlite_where=_STANDS, postgresql_where=_STANDS,
        )  # fmt: skip


def downgrade() -> None:
    """Takes the change back; fails where a period was drawn up again."""
    with op.batch_alter_table("settlement_batch", schema=None) as batch_op:
        batch_op.drop_index("uq_settlement_batch_period")
        batch_op.create_unique_constraint(
            "uq_settlement_batch_municipality_id_merchant_id_period_from_period_to", _PERIOD
        )
