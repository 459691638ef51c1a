"""Readers for these tests: one that remembers what was truly written, and faults by name."""

from collections.abc import Callable

from cardlib.codec.purse import Spend
from cardlib.connection import CardConnection
from cardlib.keys import records
from simulator.card.chip import Tear
from simulator.faults import (
    AlteredAnswer,
    ForgedStatus,
    HeldBack,
    InProcessConnection,
    Mute,
    PinWedge,
    ResetBefore,
    Shim,
    StaleRead,
    TearAfter,
    TearBefore,
    TearDuring,
    Trigger,
    nth,
)
from tests.integration.terminal.stage import StageCard

DEBITS = (0xDC, 0x54)
"""UPDATE RECORD of file cards, DEBIT of applet cards."""


def the_debit() -> Trigger:
    """Strikes once, at the first command that debits."""
    seen = 0

    def strikes(apdu: bytes) -> bool:
        nonlocal seen
        seen += apdu[1] in DEBITS
        return seen == 1 and apdu[1] in DEBITS

    return strikes


class Witness(Shim):
    """The innermost reader: notes every record that became the newest, whoever wrote it."""

    def __init__(self, card: StageCard, history: list[bytes]) -> None:
        self.connection = card.plug()
        super().__init__(self.connection)
        self._card, self._history = card, history

    def transmit(self, apdu: bytes) -> bytes:
        """Looks at the card after every command, whatever came of it."""
        try:
            return self.inner.transmit(apdu)
        finally:
            newest = bytes(self._card.spend_file.records[0])
            if newest != self._history[-1] and opened(self._card, newest) is not None:
                self._history.append(newest)


def opened(card: StageCard, record: bytes) -> Spend | None:
    """A record in clear, as the issuer reads it."""
    return records.open_spend(card.keys.debit.record, record)


def _flipped(answer: bytes) -> bytes:
    return answer[:-3] + bytes((answer[-3] ^ 1,)) + answer[-2:] if len(answer) > 2 else answer


Make = Callable[[CardConnection, StageCard, int], CardConnection]
FAULTS: dict[str, Make] = {
    "none": lambda inner, _card, _n: inner,
    "tear before": lambda inner, _card, n: TearBefore(inner, nth(n)),
    "tear after": lambda inner, _card, n: TearAfter(inner, nth(n)),
    "tear before the update": lambda inner, _card, _n: TearBefore(inner, the_debit()),
    "tear after the update": lambda inner, _card, _n: TearAfter(inner, the_debit()),
    "half-written": lambda inner, card, n: TearDuring(
        inner, card.card, the_debit(), list(Tear)[n % len(Tear)]
    ),
    "forged refusal": lambda inner, _card, _n: ForgedStatus(inner, the_debit()),
    "forged success": lambda inner, _card, _n: HeldBack(inner, the_debit(), 0x9000),
    "held back": lambda inner, _card, _n: HeldBack(inner, the_debit()),
    "mute": lambda inner, _card, n: Mute(inner, nth(n)),
    "reset": lambda inner, _card, n: ResetBefore(inner, nth(n)),
    "wedge": lambda inner, _card, _n: PinWedge(inner),
    "altered": lambda inner, _card, n: AlteredAnswer(inner, nth(n), _flipped),
    "stale": lambda inner, _card, _n: StaleRead(ForgedStatus(inner, the_debit())),
}
"""By name: how a reader with that fault is made; ``n`` is when, or which kind."""

__all__ = ["FAULTS", "HeldBack", "InProcessConnection", "StaleRead", "Witness", "opened"]
