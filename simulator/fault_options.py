"""Faults by name, for command lines: ``NAME``, ``NAME:WHEN`` or ``NAME:VALUE``.

``WHEN`` is the number of a command (``8``), or an instruction and the number of its
occurrence (``DC:1``). The names:

========================================= ==================================================
``tear-before:WHEN``, ``tear-after:WHEN`` the card is pulled out; it comes back by itself
``tear-nothing:WHEN``                     … in the middle of a write that leaves no trace
``tear-damaged-new:WHEN``                 … that leaves a damaged newest record
``tear-damaged-oldest:WHEN``              … that leaves a damaged oldest record
``mute:WHEN``, ``reset-before:WHEN``      no more answers; a reset
``forged-status:WHEN``                    the command passes, 6985 comes back
``held-back:WHEN``                        the command does not pass, 6985 comes back
``slow:SECONDS``                          every command takes longer
``forged-map:BYTE``                       EF.INFO shows this record map
``pin-wedge``                             every PIN is right, and none reaches the card
========================================= ==================================================
"""

from collections.abc import Callable
from dataclasses import dataclass

from cardlib.connection import CardConnection
from cardlib.ports import Clock
from simulator.card.card import VirtualCard
from simulator.connection import InProcessConnection
from simulator.errors import FaultError
from simulator.faults import (
    ForgedMap,
    ForgedStatus,
    HeldBack,
    Mute,
    PinWedge,
    ResetBefore,
    Slow,
    Tear,
    TearAfter,
    TearBefore,
    TearDuring,
    Trigger,
    nth,
)


@dataclass(frozen=True, slots=True)
class FaultyCard:
    """A card behind faults; ``reinsert`` puts it back after a tear."""

    connection: CardConnection
    reinsert: Callable[[], None]


def with_faults(card: VirtualCard, faults: list[str], clock: Clock) -> FaultyCard:
    """The card behind the faults described, the first nearest to it; FaultError for others."""
    connection: CardConnection = InProcessConnection(card)
    removable: list[TearBefore | TearAfter | TearDuring] = []
    for text in faults:
        connection = _wrap(connection, card, text, clock)
        if isinstance(connection, TearBefore | TearAfter | TearDuring):
            removable.append(connection)

    def reinsert() -> None:
        for shim in removable:
            shim.gone = False
        connection.reset()

    return FaultyCard(connection, reinsert)


def _wrap(connection: CardConnection, card: VirtualCard, text: str, clock: Clock) -> CardConnection:
    name, _, argument = text.partition(":")
    try:
        if name in _AT_A_COMMAND:
            return _AT_A_COMMAND[name](connection, _when(argument))
        if name in _DURING:
            return TearDuring(connection, card, _when(argument), _DURING[name])
        if name == "slow":
            return Slow(connection, lambda _apdu: True, float(argument), clock.sleep)
        if name == "forged-map":
            return ForgedMap(connection, int(argument, 16))
        if name == "pin-wedge" and not argument:
            return PinWedge(connection)
    except (ValueError, OverflowError):
        raise FaultError(fault=text) from None
    raise FaultError(fault=text)


_AT_A_COMMAND: dict[str, Callable[[CardConnection, Trigger], CardConnection]] = {
    "tear-before": TearBefore,
    "tear-after": TearAfter,
    "mute": Mute,
    "reset-before": ResetBefore,
    "forged-status": ForgedStatus,
    "held-back": HeldBack,
}
_DURING = {f"tear-{tear.value}": tear for tear in Tear}


def _when(text: str) -> Trigger:
    ins, colon, number = text.rpartition(":")
    count = int(number)
    if count < 1:
        raise ValueError(text)
    return nth(count, int(ins, 16) if colon else None)
