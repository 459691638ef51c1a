"""What a town hall does besides giving money: lost cards, cases, refunds."""

from contextlib import suppress

from backend.errors import BackendError
from cardlib.wire.ids import PurseId
from simulator.town.actors.official import APPROVER, LOADER
from simulator.town.hall import Hall


class DeskWork:
    """Acts through the backend's services; what cannot be today is left for another day."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall

    # lost cards -----------------------------------------------------------------------------

    def block(self, purse: PurseId) -> bool:
        """A citizen says that her card is lost; whether it is blocked now."""
        with suppress(BackendError):
            self._hall.backend.cards.block(purse, "CARD_LOST", by=LOADER)
            return True
        return False

    def unblock(self, purse: PurseId) -> bool:
        """The card was found; whether its money can be spent again."""
        with suppress(BackendError):
            self._hall.backend.cards.unblock(purse, by=LOADER)
            return True
        return False

    def replace(self, old: PurseId, new: PurseId) -> int | None:
        """Orders a lost card's money onto a new one: how many orders; None where it cannot be."""
        with suppress(BackendError):
            orders = self._hall.backend.cards.replace(
                old, new, requested_by=LOADER, approved_by=APPROVER
            )
            return len(orders)
        return None
