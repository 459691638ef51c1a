"""the box key of a terminal's enrolment."""

import sqlalchemy as sa
from alembic import op

revision = "20261122b"
down_revision = "20261122"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies the change."""
    with op.batch_alter_table("terminal", schema=None) as batch_op:
        batch_op.add_column(sa.Column("box_key", sa.LargeBinary(length=32), nullable=True))


def downgrade() -> None:
    """Takes the change back."""
    with op.batch_alter_table("terminal", schema=None) as batch_op:
        batch_op.drop_column("box_key")
