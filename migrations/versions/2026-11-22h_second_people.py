"""who approved that a card or a till is used again; the statements that merchants were given."""

import sqlalchemy as sa
from alembic import op

revision = "20261122h"
down_revision = "20261122g"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies the change."""
    with op.batch_alter_table("purse_block", schema=None) as batch_op:
        batch_op.add_column(sa.Column("end_approved_by", sa.String(), nullable=True))
    op.create_table(
        "terminal_readmission",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("terminal", sa.Integer(), nullable=False),
        sa.Column("recovery_id", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=False),
        sa.Column("readmitted_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["terminal"], ["terminal.number"], name=op.f("fk_terminal_readmission_terminal")
        ),
        sa.ForeignKeyConstraint(
            ["recovery_id"], ["recovery.id"], name=op.f("fk_terminal_readmission_recovery_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terminal_readmission")),
    )
    op.create_table(
        "given_statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("merchant_id", sa.Integer(), nullable=False),
        sa.Column("period_from", sa.BigInteger(), nullable=False),
        sa.Column("period_to", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("transfer", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchant.id"], name=op.f("fk_given_statement_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_given_statement")),
        sa.UniqueConstraint("hash", name=op.f("uq_given_statement_hash")),
    )


def downgrade() -> None:
    """Takes the change back."""
    op.drop_table("given_statement")
    op.drop_table("terminal_readmission")
    with op.batch_alter_table("purse_block", schema=None) as batch_op:
        batch_op.drop_column("end_approved_by")
