"""Defects by which something does not happen at all: nobody is told, proven or paid."""

from collections.abc import Callable
from typing import Any

from backend.services.administration.day_end import DayEnd
from backend.services.ingest.entry_content import EntryContent
from backend.services.verdicts import judgement, placement
from cardlib.wire.entry_body import Committed, How
from terminal.journal.journal import Journal
from tests.town.mutations.defect import Defect, Site

Note = Callable[[], None]


def _nothing(_real: Any, note: Note) -> Any:
    """Does not do it."""

    def defective(*_arguments: Any, **_named: Any) -> None:
        note()

    return defective


def _none_told(_real: Any, note: Note) -> Any:
    """Tells nobody."""

    def defective(_self: DayEnd, _now: int) -> int:
        note()
        return 0

    return defective


def _never(real: Any, note: Note) -> Any:
    """No instead of what may be yes."""

    def defective(*arguments: Any) -> bool:
        if real(*arguments):
            note()
        return False

    return defective


def _unwritten(real: Any, note: Note) -> Any:
    """Every third sale that the chip has answered well is signed, and not kept."""
    times = [0]

    def defective(self: Journal, *bodies: Any, **named: Any) -> Any:
        sold = isinstance(bodies[-1], Committed) and bodies[-1].how is How.DIRECT
        times[0] += sold
        if not sold or times[0] % 3:
            return real(self, *bodies, **named)
        note()
        return self._sign(bodies[-1], self.views.head(), self.views.batch())

    return defective


SILENCE = (
    Defect(
        name="forks-untold", law=12,
        does="what verdicts find out raises no alarm",
        sites=tuple(Site(one, "raise_alarm", _nothing) for one in (judgement, placement)),
        town="forks",
    ),
    Defect(
        name="overdue-untold", law=7,
        does="the night work tells nobody of a case that has waited too long",
        sites=(Site(DayEnd, "_tell_overdue", _none_told),), town="lost",
    ),
    Defect(
        name="paid-unwritten", law=2,
        does="a till says that a sale is paid, and writes nothing",
        sites=(Site(Journal, "append", _unwritten),),
    ),
    Defect(
        name="certificates-unread", law=2,
        does="no certificate of a chip proves anything",
        sites=(Site(EntryContent, "_is_attested", _never),),
    ),
    Defect(
        name="beats-unheard", law=9,
        does="no till ever counts as complete, and no period closes",
        sites=(Site(EntryContent, "_take_heartbeat", _nothing),),
    ),
)  # fmt: skip
