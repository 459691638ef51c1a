"""A card in a reader, with what goes wrong between them; and a hand that puts it back."""

from collections.abc import Iterable

from cardlib.codec.applet import INS_DEBIT
from cardlib.codec.commands import INS_UPDATE_BINARY, INS_UPDATE_RECORD
from cardlib.connection import CardConnection
from cardlib.trace.names import INS_CHANGE, INS_RESET_RETRY
from simulator.card.chip import Tear
from simulator.faults import (
    Mute,
    Removable,
    ResetBefore,
    TearAfter,
    TearBefore,
    TearDuring,
    Watched,
    nth,
)
from simulator.faults.shim import Shim
from simulator.faults.triggers import Trigger
from simulator.town.actors.citizen import Citizen
from simulator.town.killed import Killed
from simulator.town.plan.model import Accident, AccidentKind

_APPEND_RECORD = 0xE2
WRITES = (
    INS_UPDATE_RECORD, _APPEND_RECORD, INS_UPDATE_BINARY, INS_DEBIT, INS_CHANGE, INS_RESET_RETRY,
)  # fmt: skip
"""Commands that write: UPDATE and APPEND RECORD, UPDATE BINARY, DEBIT, CHANGE KEY DATA, RESET."""


class _Dies(Shim):
    """The program at this end of the cable is killed before or after a command."""

    def __init__(self, inner: CardConnection, when: Trigger, *, after: bool) -> None:
        super().__init__(inner)
        self._when = when
        self._after = after

    def transmit(self, apdu: bytes) -> bytes:
        """Passes on, or raises Killed."""
        dies = self._when(apdu)
        if dies and not self._after:
            raise Killed("before a command of a card session")
        answer = self.inner.transmit(apdu)
        if dies:
            raise Killed("after a command of a card session")
        return answer


class Reader:
    """The card of a citizen in a reader. ``struck`` are the accidents that happened."""

    def __init__(self, citizen: Citizen, accidents: Iterable[Accident] = ()) -> None:
        self.connection: CardConnection = citizen.line()
        self._citizen = citizen
        self._removable: list[Removable] = []
        self._watched: list[tuple[Accident, Watched]] = []
        for accident in accidents:
            self._put_between(accident)

    @property
    def struck(self) -> list[Accident]:
        """Accidents that struck so far."""
        return [accident for accident, watched in self._watched if watched.struck]

    def put_back(self) -> bool:
        """Puts a card that was pulled out back; whether it was out."""
        out = [shim for shim in self._removable if shim.gone]
        for shim in out:
            shim.reinsert()
        return bool(out)

    def _put_between(self, accident: Accident) -> None:
        inner = self.connection
        writes = accident.kind is AccidentKind.HALF_WRITTEN
        watched = Watched(nth(accident.at, WRITES if writes else None))
        match accident.kind:
            case AccidentKind.TEAR_BEFORE:
                shim: CardConnection = TearBefore(inner, watched)
            case AccidentKind.TEAR_AFTER:
                shim = TearAfter(inner, watched)
            case AccidentKind.HALF_WRITTEN:
                tear = list(Tear)[accident.variant % len(Tear)]
                shim = TearDuring(inner, self._citizen.card, watched, tear)
            case AccidentKind.MUTE:
                shim = Mute(inner, watched)
            case AccidentKind.CARD_RESET:
                shim = ResetBefore(inner, watched)
            case AccidentKind.KILL_STATION:
                shim = _Dies(inner, watched, after=bool(accident.variant % 2))
            case _:
                return
        if isinstance(shim, Removable):
            self._removable.append(shim)
        self._watched.append((accident, watched))
        self.connection = shim
