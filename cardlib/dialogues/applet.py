"""Finding and reading a purse on an applet card: SELECT and INITIALISE are all it takes.

What the card says of itself comes in one MACed answer (docs/card-profile.md, *The applet
card*); grants that the till has not met yet, and older records, are read as on a file card.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cardlib.codec.apdu import Response
from cardlib.codec.applet import InitialiseAnswer, initialise
from cardlib.codec.commands import select, select_purse
from cardlib.codec.files import DF_BUONO_FIRST, DF_BUONO_LAST, DF_SERVICES, EF_SPEND
from cardlib.codec.purse import Info
from cardlib.codec.status import Status
from cardlib.dialogues.read import OpenPurse, read_spend
from cardlib.dialogues.volley import Dialogue, send
from cardlib.errors import CardAnswerError, PurseRefusedError
from cardlib.keys.module import AppletModule, AppletSession, SecurityModule, SpendReading
from cardlib.wire.ids import TRAINING_ISSUER


@dataclass(frozen=True, slots=True)
class OpenApplet:
    """A selected purse under a fresh MAC; ``live`` is the grant_seq of each slot's wallet."""

    purse: OpenPurse
    session: AppletSession
    live: Mapping[int, int]


def find_applet(
    module: SecurityModule,
    applets: AppletModule,
    first: int = DF_BUONO_FIRST,
    *,
    training: bool = False,
) -> Dialogue[tuple[int, AppletSession, Response]]:
    """Selects the first directory from ``first`` upward whose issuer is served: INITIALISE.

    Its answer is still to be verified, by the session that goes with it. ``applets`` is the
    same module as one that serves applet cards. PurseRefusedError as of ``read.find_purse``.
    """
    unknown: PurseRefusedError | None = None
    for directory in range(first, DF_BUONO_LAST + 1):
        answer = yield from send(select_purse(directory))
        if answer.status == Status.FILE_NOT_FOUND:
            break
        if not answer.ok:
            raise PurseRefusedError("CARD_NOT_CRS")
        session = applets.initialise()
        answer = yield from send(initialise(session.random))
        try:
            info = _info_of(answer)
        except PurseRefusedError as error:
            unknown = error  # another town's may be of a newer kind
            continue
        if (info.issuer == TRAINING_ISSUER) == training and module.serves(info):
            return directory, session, answer
    if unknown is not None:
        raise unknown
    if directory > DF_BUONO_FIRST:
        raise PurseRefusedError("PURSE_NOT_SERVED")
    services = yield from send(select((DF_SERVICES,)))
    raise PurseRefusedError("PURSE_MISSING" if services.ok else "CARD_NOT_CRS")


def _info_of(answer: Response) -> Info:
    """Of a purse that was never finished (6985) no more is known than of one of a newer kind."""
    if answer.status == Status.CONDITIONS:
        raise PurseRefusedError("PURSE_UNKNOWN_VERSION")
    if not answer.ok:
        raise CardAnswerError(answer.status, "INITIALISE")
    return InitialiseAnswer.decode(answer.data).info


def opened_applet(directory: int, session: AppletSession, answer: Response) -> OpenApplet:
    """The purse that :func:`find_applet` has found; AuthenticityError when its MAC is bad."""
    reading = session.open_state(answer)
    purse = OpenPurse(reading.info, directory, session, [reading.newest], {})
    return OpenApplet(purse, session, reading.live)


def read_back(purse: OpenPurse, below_ctr: int) -> Dialogue[list[SpendReading]]:
    """As ``read.read_back``; the newest record came with the answer of INITIALISE."""
    readings = list(purse.spends)
    while len(readings) < EF_SPEND.records and not _below(readings[-1], below_ctr):
        readings.append((yield from read_spend(purse, len(readings) + 1)))
    return readings


def _below(reading: SpendReading, ctr: int) -> bool:
    return reading.spend is not None and reading.spend.ctr < ctr
