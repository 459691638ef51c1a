"""an index for what every upload asks: the intents that their tills have parked."""

from alembic import op
from sqlalchemy import text

revision = "20261122j"
down_revision = "20261122i"
branch_labels = None
depends_on = None

_UNRESOLVED = text("state = 'unresolved'")


def upgrade() -> None:
    """Applies the change."""
    op.create_index(
        "ix_intent_unresolved", "intent", ["purse_id", "ctr"],
        sqlite_where=_UNRESOLVED, postgresql_where=_UNRESOLVED,
    )  # fmt: skip


def downgrade() -> None:
    """Takes the change back."""
    op.drop_index("ix_intent_unresolved", "intent")
