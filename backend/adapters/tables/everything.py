"""Every table, for migrations: importing this module fills ``metadata``."""

from backend.adapters.tables import (
    acts,
    cards,
    journals,
    key_sets,
    ledger,
    programmes,
    recovery,
    sessions,
    settlement,
    terminals,
    verdicts,
)
from backend.adapters.tables.base import Base

metadata = Base.metadata

__all__ = [
    "acts", "cards", "journals", "key_sets", "ledger", "metadata", "programmes", "recovery",
    "sessions", "settlement", "terminals", "verdicts",
]  # fmt: skip
