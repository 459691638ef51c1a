"""Which purse of a card a backend session is about: the first directory it serves."""

from collections.abc import Callable
from typing import TypeVar

from cardlib.codec.commands import read_info, select_purse
from cardlib.codec.files import DF_BUONO_FIRST, DF_BUONO_LAST
from cardlib.codec.purse import Info
from cardlib.codec.status import Status
from cardlib.dialogues.volley import Dialogue, check_shape, require_all
from cardlib.errors import PurseRefusedError

T = TypeVar("T")


def find_purse(served: Callable[[Info], T | None]) -> Dialogue[tuple[Info, T]]:
    """Selects directories from B001 upward until ``served`` gives something for one.

    PurseRefusedError ``PURSE_NOT_SERVED`` when there are purses but none is,
    ``PURSE_UNKNOWN_VERSION`` when one that is not understood might have been it, and
    ``PURSE_MISSING`` when there are none.
    """
    unknown: PurseRefusedError | None = None
    for directory in range(DF_BUONO_FIRST, DF_BUONO_LAST + 1):
        volley = (select_purse(directory), read_info())
        answers = yield volley
        check_shape(volley, answers)
        if answers[0].status == Status.FILE_NOT_FOUND:
            break
        require_all(volley, answers)
        try:
            info = Info.decode(answers[1].data)
        except PurseRefusedError as error:
            unknown = error  # another town's may be of a newer kind
            continue
        found = served(info)
        if found is not None:
            return info, found
    if unknown is not None:
        raise unknown
    raise PurseRefusedError("PURSE_MISSING" if directory == DF_BUONO_FIRST else "PURSE_NOT_SERVED")
