"""What the town itself granted a purse, as a bound needs it: from its books, never from a chip."""

from cardlib.codec.purse import Grant
from cardlib.wire.ids import PurseId
from simulator.town.plan.model import FOOD
from simulator.town.state import Town

_LIVE = (
    "SELECT g.grant_bytes FROM card_grant g JOIN purse p ON p.id = g.purse_id"
    " JOIN municipality m ON m.id = p.municipality_id"
    " WHERE g.state = 'on_card' AND m.issuer = ? AND p.number = ?"
)


def live_grants(town: Town, purse: PurseId) -> list[Grant]:
    """The grants that the backend knows to count on a purse, one a wallet."""
    with town.engine.connect() as books:
        rows = books.exec_driver_sql(_LIVE, (purse.issuer, purse.number)).scalars()
        return [Grant.decode(bytes(grant)) for grant in rows]


def open_value(town: Town, purse: PurseId, category: int = FOOD) -> int:
    """granted_total - base_spent of its wallets that buy ``category``: what can be re-opened."""
    return sum(
        grant.granted_total - grant.base_spent
        for grant in live_grants(town, purse)
        if grant.allows(category)
    )


def had(town: Town, purse: PurseId) -> int:
    """Cents that were loaded onto it and for which it has not had goods yet."""
    return town.truth.loaded[purse] - town.truth.received()[purse]
