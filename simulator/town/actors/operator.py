"""Who runs the service for the town: the night work, recoveries, lost tills, the keys."""

from collections.abc import Iterable
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
        self._losses: dict[int, tuple[int, str]] = {}
        """When a terminal was lost, Unix seconds, and by which act; as on paper."""

    def end_day(self) -> DayReport:
        """The night work."""
        return self._hall.backend.day_end.close_day()

    def end_recovery(self) -> bool:
        """After a restored backup, each night: whether loads and payments may go on.

        Tills that are not back by the second night are named, and tell when they can. A backend
        that died when it had noted the end says so the next night.
        """
        recovery = self._hall.backend.recovery
        self._nights += 1
        try:
            missing = recovery.waiting()
            recovery.end(
                requested_by=LOADER, approved_by=APPROVER, act="verbale di ripristino",
                without=missing if self._nights >= PATIENT_NIGHTS else (),
            )  # fmt: skip
        except BackendError as error:
            if error.code != "RECOVERY_NONE":
                return False
        self._nights = 0
        return True

    def record_loss(self, terminal: int, act: str) -> None:
        """A till is stolen or its journal lost: two people say so."""
        now = self._hall.backend.clock.unix_ms() // 1000
        self._losses.setdefault(terminal, (now, act))
        self._enter_loss(terminal)

    def enter_again(self, certificates: Iterable[bytes]) -> None:
        """What a restored copy has forgotten of tills: that they are there, or that they are lost.

        Every till shows its certificate; who is known changes nothing.
        """
        for certificate in certificates:
            self._hall.backend.recovery.readmit(
                certificate, act="verbale di riammissione",
                requested_by=LOADER, approved_by=APPROVER,
            )  # fmt: skip
        for terminal in self._losses:
            self._enter_loss(terminal)

    def _enter_loss(self, terminal: int) -> None:
        backend, (lost_at, act) = self._hall.backend, self._losses[terminal]
        LossOffice(backend.work, backend.clock).record(
            terminal, lost_at, act=act, requested_by=LOADER, approved_by=APPROVER
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
