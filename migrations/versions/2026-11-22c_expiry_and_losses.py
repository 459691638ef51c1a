"""expiry of grants, the claim window, blocked cards, lost terminals, who decided a case."""

import sqlalchemy as sa
from alembic import op

revision = "20261122c"
down_revision = "20261122b"
branch_labels = None
depends_on = None

_VALID_TO = slice(12, 14)
"""Bytes of a grant that name its last day (PROTOCOL 2)."""


def upgrade() -> None:
    """Applies the change."""
    with op.batch_alter_table("municipality", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("claim_window_days", sa.Integer(), nullable=False, server_default="15")
        )
    with op.batch_alter_table("suspense_case", schema=None) as batch_op:
        batch_op.add_column(sa.Column("approved_by", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("act", sa.String(), nullable=True))
    _add_expiry()
    _add_blocks()
    op.create_table(
        "terminal_loss",
        sa.Column("terminal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lost_at", sa.BigInteger(), nullable=False),
        sa.Column("head_seq", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["terminal"], ["terminal.number"], name=op.f("fk_terminal_loss_terminal")
        ),
        sa.PrimaryKeyConstraint("terminal", name=op.f("pk_terminal_loss")),
    )


def _add_expiry() -> None:
    with op.batch_alter_table("card_grant", schema=None) as batch_op:
        batch_op.add_column(sa.Column("valid_to", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("pending_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("expired_at", sa.BigInteger(), nullable=True))
    table = sa.table("card_grant", sa.column("id"), sa.column("grant_bytes"), sa.column("valid_to"))
    rows = op.get_bind().execute(sa.select(table.c.id, table.c.grant_bytes)).all()
    for number, grant in rows:
        last_day = int.from_bytes(bytes(grant)[_VALID_TO], "big")
        op.execute(sa.update(table).where(table.c.id == number).values(valid_to=last_day))
    with op.batch_alter_table("card_grant", schema=None) as batch_op:
        batch_op.alter_column("valid_to", existing_type=sa.Integer(), nullable=False)
        batch_op.create_index("ix_card_grant_expiry", ["state", "valid_to"], unique=False)


def _add_blocks() -> None:
    op.create_table(
        "purse_block",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("purse_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("blocked_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("replaced_by", sa.Integer(), nullable=True),
        sa.Column("replaced_at", sa.BigInteger(), nullable=True),
        sa.Column("requested_by", sa.String(), nullable=True),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("rest_ordered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["purse_id"], ["purse.id"], name=op.f("fk_purse_block_purse_id")),
        sa.ForeignKeyConstraint(
            ["replaced_by"], ["purse.id"], name=op.f("fk_purse_block_replaced_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purse_block")),
    )
    with op.batch_alter_table("purse_block", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_purse_block_purse_id"), ["purse_id"], unique=False)
        batch_op.create_index(
            "uq_purse_block_open",
            ["purse_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )


def downgrade() -> None:
    """Takes the change back."""
    op.drop_table("terminal_loss")
    op.drop_table("purse_block")
    with op.batch_alter_table("card_grant", schema=None) as batch_op:
        batch_op.drop_index("ix_card_grant_expiry")
        batch_op.drop_column("expired_at")
        batch_op.drop_column("pending_at")
        batch_op.drop_column("valid_to")
    with op.batch_alter_table("suspense_case", schema=None) as batch_op:
        batch_op.drop_column("act")
        batch_op.drop_column("approved_by")
    with op.batch_alter_table("municipality", schema=None) as batch_op:
        batch_op.drop_column("claim_window_days")
