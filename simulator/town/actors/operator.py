"""Who runs the service for the town: the night work, recoveries, lost tills, the keys."""

from contextlib import suppress

from backend.errors import BackendError
from backend.services.administration.day_end import DayReport
from backend.services.terminals.lost_terminals import LossOffice
from simulator.town.actors.official import APPROVER, ISSUER, LOADER
from simulator.town.hall import Hall

PATIENT_NIGHTS = 2
"""So many the town waits for its tills after a restored backup."""
_SECOND_KEY_HOLDER = "dario.operator"


class Operator:
    """Acts through the backend's services, with the town's two people where it takes two."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._nights = 0
        """How many a recovery has lasted."""

    def end_day(self) -> DayReport:
        """The night work."""
        return self._hall.backend.day_end.close_day()

    def end_recovery(self) -> bool:
        """After a restored backup, each night: whether loads and payments may go on.

        Tills that are not back by the second night are named, and tell when they can.
        """
        recovery = self._hall.backend.recovery
        self._nights += 1
        with suppress(BackendError):
            without = recovery.waiting() if self._nights >= PATIENT_NIGHTS else ()
            recovery.end(
                requested_by=LOADER, approved_by=APPROVER, act="verbale di ripristino",
                without=without,
            )  # fmt: skip
            self._nights = 0
            return True
        return False

    def record_loss(self, terminal: int, act: str) -> None:
        """A till is stolen or its journal lost: two people say so."""
        backend = self._hall.backend
        now = backend.clock.unix_ms() // 1000
        LossOffice(backend.work, backend.clock).record(
            terminal, now, act=act, requested_by=LOADER, approved_by=APPROVER
        )

    def announce_keys(self) -> None:
        """Makes the next key set known to the tills."""
        with suppress(BackendError):
            self._hall.backend.key_sets.announce(ISSUER, APPROVER)

    def begin_keys(self) -> bool:
        """Lets the cards change, once every till holds the keys; whether they may."""
        with suppress(BackendError):
            self._hall.backend.key_sets.begin(ISSUER, _SECOND_KEY_HOLDER)
            return True
        return False
