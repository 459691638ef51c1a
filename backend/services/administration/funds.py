"""What a fund and an award still have to give."""

from backend.adapters.tables.programmes import AwardRow, ProgrammeRow
from backend.adapters.unit_of_work import Unit
from backend.domain.ledger import Account, Pot
from backend.errors import ConflictError, UnknownError


def pot_of(unit: Unit, programme: ProgrammeRow, source: str) -> Pot:
    """What ``source`` gave to a programme; UnknownError ``FUNDING_SOURCE_UNKNOWN``."""
    origin = unit.programmes.find_funding_source(programme.municipality_id, source)
    if origin is None:
        raise UnknownError("FUNDING_SOURCE_UNKNOWN", source=source)
    return Pot(programme.municipality_id, programme.id, origin.id)


def check_fund(unit: Unit, fund: Account, cents: int) -> None:
    """ConflictError ``FUND_TOO_SMALL`` when the fund holds less."""
    held = unit.ledger.balance(fund)
    if held < cents:
        raise ConflictError("FUND_TOO_SMALL", cents=held)


def check_award(unit: Unit, award: AwardRow, cents: int) -> None:
    """ConflictError ``AWARD_TOO_SMALL`` when orders that are not void leave less of it."""
    left = award.cents - award.withdrawn_cents - unit.cards.ordered_cents(award.id)
    if left < cents:
        raise ConflictError("AWARD_TOO_SMALL", cents=left)
