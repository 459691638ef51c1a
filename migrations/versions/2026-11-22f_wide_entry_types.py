"""entry types as wide as whoever signs an entry may write them."""

import sqlalchemy as sa
from alembic import op

revision = "20261122f"
down_revision = "20261122e"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies the change."""
    with op.batch_alter_table("entry", schema=None) as batch_op:
        batch_op.alter_column("type", existing_type=sa.Integer(), type_=sa.BigInteger())


def downgrade() -> None:
    """Takes the change back; fails where a type does not fit any more."""
    with op.batch_alter_table("entry", schema=None) as batch_op:
        batch_op.alter_column("type", existing_type=sa.BigInteger(), type_=sa.Integer())
