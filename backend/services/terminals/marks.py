"""Marks of merchants, municipalities and purses, computed from what is stored."""

from collections.abc import Iterable

from backend.adapters.tables.cards import PurseRow
from backend.adapters.tables.journals import IntentRow
from backend.adapters.tables.terminals import TerminalRow
from backend.adapters.unit_of_work import Unit
from backend.domain.marks import Mark, TerminalReach, mark_of
from backend.domain.states import TerminalState


def mark_of_merchant(unit: Unit, merchant_id: int) -> Mark:
    """Over the merchant's terminals."""
    terminals = unit.acts.terminals_of_merchant(merchant_id)
    return _mark(terminals, unit.acts.unresolved(merchant_id=merchant_id))


def mark_of_municipality(unit: Unit, municipality_id: int) -> Mark:
    """Over every terminal that takes the town's vouchers."""
    terminals = unit.acts.terminals_of_issuer(municipality_id)
    return _mark(terminals, unit.acts.unresolved(municipality_id=municipality_id))


def mark_of_purse(unit: Unit, purse: PurseRow) -> Mark:
    """Over every terminal of its issuer: up to then nothing of this purse is on its way."""
    terminals = unit.acts.terminals_of_issuer(purse.municipality_id)
    return _mark(terminals, unit.acts.unresolved(purse_id=purse.id))


def _mark(terminals: Iterable[TerminalRow], unresolved: Iterable[IntentRow]) -> Mark:
    states = (
        TerminalReach(
            number=row.number, mark=row.mark, enrolled_at=row.enrolled_at,
            active=row.state == TerminalState.ACTIVE, lost=row.state == TerminalState.LOST,
        )
        for row in terminals
    )  # fmt: skip
    return mark_of(states, (f"{intent.terminal}:{intent.seq}" for intent in unresolved))
