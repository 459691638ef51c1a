"""indexes for what every upload asks: open intents, unsettled postings, a grant by its bytes."""

from alembic import op
from sqlalchemy import text

revision = "20261122e"
down_revision = "20261122d"
branch_labels = None
depends_on = None

_OPEN = text("state = 'open'")
_UNSETTLED = text("reason <> '' OR amount_open")


def upgrade() -> None:
    """Applies the change."""
    op.create_index(
        "ix_intent_open", "intent", ["terminal"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_index(
        "ix_posting_unsettled", "posting", ["purse_id", "ctr"],
        sqlite_where=_UNSETTLED, postgresql_where=_UNSETTLED,
    )  # fmt: skip
    op.create_index("ix_card_grant_signature", "card_grant", ["signature"])


def downgrade() -> None:
    """Takes the change back."""
    op.drop_index("ix_card_grant_signature", "card_grant")
    op.drop_index("ix_posting_unsettled", "posting")
    op.drop_index("ix_intent_open", "intent")
