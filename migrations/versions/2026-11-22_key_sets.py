"""key sets of issuers, who holds them, purses that change to one; the suite of stock cards."""

import sqlalchemy as sa
from alembic import op

revision = "20261122"
down_revision = "20261121"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies the change."""
    op.create_table(
        "key_set",
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("announced_at", sa.BigInteger(), nullable=False),
        sa.Column("announced_by", sa.String(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=True),
        sa.Column("begun_by", sa.String(), nullable=True),
        sa.CheckConstraint("number BETWEEN 1 AND 255", name=op.f("ck_key_set_number")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_key_set_municipality_id")
        ),
        sa.PrimaryKeyConstraint("municipality_id", "number", name=op.f("pk_key_set")),
    )
    op.create_table(
        "key_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("purse_id", sa.Integer(), nullable=False),
        sa.Column("old_core", sa.LargeBinary(length=16), nullable=False),
        sa.Column("new_core", sa.LargeBinary(length=16), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("keys_changed_at", sa.BigInteger(), nullable=True),
        sa.Column("core_changed_at", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["purse_id"], ["purse.id"], name=op.f("fk_key_change_purse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_change")),
    )
    with op.batch_alter_table("key_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_change_purse_id"), ["purse_id"], unique=False)
        batch_op.create_index(
            "uq_key_change_open",
            ["purse_id"],
            unique=True,
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        )
    op.create_table(
        "key_set_holder",
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("terminal", sa.Integer(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"],
            ["municipality.id"],
            name=op.f("fk_key_set_holder_municipality_id"),
        ),
        sa.ForeignKeyConstraint(
            ["terminal"], ["terminal.number"], name=op.f("fk_key_set_holder_terminal")
        ),
        sa.PrimaryKeyConstraint(
            "municipality_id", "number", "terminal", name=op.f("pk_key_set_holder")
        ),
    )
    with op.batch_alter_table("stock_card", schema=None) as batch_op:
        batch_op.add_column(sa.Column("suite", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    """Takes the change back."""
    with op.batch_alter_table("stock_card", schema=None) as batch_op:
        batch_op.drop_column("suite")
    op.drop_table("key_set_holder")
    op.drop_table("key_change")
    op.drop_table("key_set")
