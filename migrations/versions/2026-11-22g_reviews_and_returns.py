"""sampled review of batches, approvals by amount, returns of goods."""

import sqlalchemy as sa
from alembic import op

revision = "20261122g"
down_revision = "20261122f"
branch_labels = None
depends_on = None

_LINE_CHECKS = (
    sa.CheckConstraint(
        "state IN ('included', 'suspended', 'rejected', 'postponed')", name="ck_batch_line_state"
    ),
    sa.CheckConstraint("cents <> 0", name="ck_batch_line_cents"),
)
"""SQLite makes the table anew, and does not tell of its checks."""
_OF_A_SALE = sa.text("return_id IS NULL")


def upgrade() -> None:
    """Applies the change."""
    with op.batch_alter_table("settlement_batch", schema=None) as batch_op:
        batch_op.add_column(sa.Column("turned_down_by", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("turned_down_at", sa.BigInteger(), nullable=True))
    _create_reviews()
    _create_returns()
    with op.batch_alter_table("load_order", schema=None) as batch_op:
        batch_op.add_column(sa.Column("return_id", sa.Integer(), nullable=True))
        batch_op.create_index("ix_load_order_return_id", ["return_id"], unique=False)
    _widen_lines()


def _create_reviews() -> None:
    op.create_table(
        "batch_review",
        sa.Column("batch_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sent_by", sa.String(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("begun_by", sa.String(), nullable=True),
        sa.Column("begun_at", sa.BigInteger(), nullable=True),
        sa.Column("seed", sa.LargeBinary(length=16), nullable=True),
        sa.Column("sample_permille", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["settlement_batch.id"], name=op.f("fk_batch_review_batch_id")
        ),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_batch_review")),
    )
    op.create_table(
        "batch_approval",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("approved_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["settlement_batch.id"], name=op.f("fk_batch_approval_batch_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch_approval")),
        sa.UniqueConstraint("batch_id", "person", name=op.f("uq_batch_approval_batch_id_person")),
    )
    op.execute(
        "INSERT INTO batch_approval (batch_id, person, approved_at)"
        " SELECT id, approved_by, approved_at FROM settlement_batch"
        " WHERE approved_by IS NOT NULL AND approved_at IS NOT NULL ORDER BY id"
    )
    op.create_table(
        "approval_band",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("from_cents", sa.BigInteger(), nullable=False),
        sa.Column("sample_permille", sa.Integer(), nullable=False),
        sa.Column("approvals", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipality.id"], name=op.f("fk_approval_band_municipality_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_band")),
    )
    op.create_index("ix_approval_band_municipality_id", "approval_band", ["municipality_id"])


def _create_returns() -> None:
    op.create_table(
        "goods_return",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("posting_id", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column("funding_source_id", sa.Integer(), nullable=False),
        sa.Column("merchant_id", sa.Integer(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=False),
        sa.Column("agreed_at", sa.BigInteger(), nullable=False),
        sa.Column("repaid_ref", sa.String(length=80), nullable=True),
        sa.Column("repaid_by", sa.String(), nullable=True),
        sa.Column("repaid_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("cents > 0", name=op.f("ck_goods_return_cents")),
        sa.ForeignKeyConstraint(
            ["posting_id"], ["posting.id"], name=op.f("fk_goods_return_posting_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_goods_return_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["funding_source_id"], ["funding_source.id"],
            name=op.f("fk_goods_return_funding_source_id"),
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchant.id"], name=op.f("fk_goods_return_merchant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goods_return")),
    )  # fmt: skip
    op.create_index("ix_goods_return_posting_id", "goods_return", ["posting_id"])
    op.create_index("ix_goods_return_merchant_id", "goods_return", ["merchant_id"])


def _widen_lines() -> None:
    with op.batch_alter_table("batch_line", schema=None, table_args=_LINE_CHECKS) as batch_op:
        batch_op.drop_constraint("uq_batch_line_batch_id_posting_id", type_="unique")
        batch_op.add_column(sa.Column("return_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("in_sample", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("reviewed_by", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("reviewed_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("note", sa.String(), nullable=True))
        batch_op.create_foreign_key(
            "fk_batch_line_return_id", "goods_return", ["return_id"], ["id"]
        )
        batch_op.create_unique_constraint(
            "uq_batch_line_batch_id_return_id", ["batch_id", "return_id"]
        )
    op.create_index("ix_batch_line_return_id", "batch_line", ["return_id"])
    op.create_index(
        "uq_batch_line_posting", "batch_line", ["batch_id", "posting_id"], unique=True,
        sqlite_where=_OF_A_SALE, postgresql_where=_OF_A_SALE,
    )  # fmt: skip


def downgrade() -> None:
    """Takes the change back; fails where a return is in a batch."""
    op.drop_index("uq_batch_line_posting", "batch_line")
    op.drop_index("ix_batch_line_return_id", "batch_line")
    with op.batch_alter_table("batch_line", schema=None, table_args=_LINE_CHECKS) as batch_op:
        batch_op.drop_constraint("uq_batch_line_batch_id_return_id", type_="unique")
        batch_op.drop_constraint("fk_batch_line_return_id", type_="foreignkey")
        for name in ("note", "reviewed_at", "reviewed_by", "in_sample", "return_id"):
            batch_op.drop_column(name)
        batch_op.create_unique_constraint(
            "uq_batch_line_batch_id_posting_id", ["batch_id", "posting_id"]
        )
    with op.batch_alter_table("load_order", schema=None) as batch_op:
        batch_op.drop_index("ix_load_order_return_id")
        batch_op.drop_column("return_id")
    for table in ("goods_return", "approval_band", "batch_approval", "batch_review"):
        op.drop_table(table)
    with op.batch_alter_table("settlement_batch", schema=None) as batch_op:
        batch_op.drop_column("turned_down_at")
        batch_op.drop_column("turned_down_by")
