"""Defects by which something does not happen at all: nobody is told, proven or paid."""

from collections.abc import Callable
from typing import Any

from backend.services.ingest.entry_content import EntryContent
from tests.town.mutations.defect import Defect, Site

Note = Callable[[], None]


def _nothing(_real: Any, note: Note) -> Any:
    """Does not do it."""

    def defective(*_arguments: Any, **_named: Any) -> None:
        note()

    return defective


def _never(real: Any, note: Note) -> Any:
    """No instead of what may be yes."""

    def defective(*arguments: Any) -> bool:
        if real(*arguments):
            note()
        return False

    return defective


SILENCE = (
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
