"""recoveries of the database from an older copy."""

import sqlalchemy as sa
from alembic import op

revision = "20261122d"
down_revision = "20261122c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies the change."""
    op.create_table(
        "recovery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("begun_by", sa.String(), nullable=False),
        sa.Column("terminals_above", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("requested_by", sa.String(), nullable=True),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("act", sa.String(), nullable=True),
        sa.Column("without", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery")),
    )


def downgrade() -> None:
    """Takes the change back."""
    op.drop_table("recovery")
