"""Faults by name, for command lines, scripts and keys: ``NAME``, ``NAME:WHEN`` or ``NAME:VALUE``.

``WHEN`` is the number of a command (``8``), or an instruction and the number of its
occurrence, in hex or by name (``DC:1``, ``update-record:1``). The names:

========================================= ==================================================
``tear-before:WHEN``, ``tear-after:WHEN`` the card is pulled out; it comes back by itself
``tear-nothing:WHEN``                     … in the middle of a write that leaves no trace
``tear-damaged-new:WHEN``                 … that leaves a damaged newest record
``tear-damaged-oldest:WHEN``              … that leaves a damaged oldest record
``mute:WHEN``, ``reset-before:WHEN``      no more answers; a reset
``memory-failure:WHEN``                   6581, and nothing was written
``memory-failure-written:WHEN``           6581, and it was written all the same
``slow:SECONDS``                          every command takes longer
``idle-reset``, ``idle-reset:SECONDS``    a card left idle for five seconds is reset
``blocked-pin``                           every VERIFY is 6983
``endless-answer:WHEN``                   61xx without an end
``longer-answer:WHEN``                    two bytes more than announced
``shorter-answer:WHEN``                   one byte less
``garbage-atr``, ``garbage-atr:HEX``      what comes at power-up is no ATR
``wrong-mac:WHEN``                        the answer's MAC is wrong
``wrong-command-mac:WHEN``                the command's MAC is wrong when it reaches the card
``replayed:WHEN``                         the answer to the like command before
``stale-read:WHEN``                       from then on READ RECORD shows old records
``forged-status:WHEN``                    the command passes, 6985 comes back
``held-back:WHEN``                        the command does not pass, 6985 comes back
``forged-map:BYTE``                       EF.INFO shows this record map
``pin-wedge``                             every PIN is right, and none reaches the card
========================================= ==================================================
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from cardlib.codec.status import Status
from cardlib.connection import CardConnection
from cardlib.ports import Clock
from cardlib.trace import instruction
from simulator.card.card import VirtualCard
from simulator.connection import InProcessConnection
from simulator.errors import FaultError
from simulator.faults import (
    BlockedPin,
    EndlessAnswer,
    ForgedMap,
    ForgedStatus,
    GarbageAtr,
    HeldBack,
    IdleReset,
    LongerAnswer,
    MemoryFailure,
    Mute,
    PinWedge,
    Removable,
    Replayed,
    ResetBefore,
    ShorterAnswer,
    Slow,
    StaleRead,
    Tear,
    TearAfter,
    TearBefore,
    TearDuring,
    Trigger,
    WrongCommandMac,
    WrongMac,
    always,
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
    removable: list[Removable] = []
    for text in faults:
        connection = wrap(connection, card, text, clock)
        if isinstance(connection, Removable):
            removable.append(connection)

    def reinsert() -> None:
        for shim in removable:
            shim.gone = False
        connection.reset()

    return FaultyCard(connection, reinsert)


def wrap(connection: CardConnection, card: VirtualCard, text: str, clock: Clock) -> CardConnection:
    """``connection`` to ``card`` behind one more fault; FaultError when it has no such name."""
    name, _, argument = text.partition(":")
    try:
        if name in _AT_A_COMMAND:
            return _AT_A_COMMAND[name](connection, _when(argument))
        if name in _DURING:
            return TearDuring(connection, card, _when(argument), _DURING[name])
        if name in _WHOLE and not argument:
            return _WHOLE[name](connection)
        return _with_value(connection, name, argument, clock)
    except (ValueError, OverflowError):
        raise FaultError(fault=text) from None


def _with_value(
    connection: CardConnection, name: str, argument: str, clock: Clock
) -> CardConnection:
    match name:
        case "slow":
            return Slow(connection, always, float(argument), clock.sleep)
        case "idle-reset":
            return IdleReset(connection, clock, *([float(argument)] if argument else []))
        case "forged-map":
            return ForgedMap(connection, int(argument, 16))
        case "garbage-atr":
            return GarbageAtr(connection, *([bytes.fromhex(argument)] if argument else []))
    raise ValueError(name)


_AT_A_COMMAND: dict[str, Callable[[CardConnection, Trigger], CardConnection]] = {
    "tear-before": TearBefore,
    "tear-after": TearAfter,
    "mute": Mute,
    "reset-before": ResetBefore,
    "memory-failure": MemoryFailure,
    "memory-failure-written": partial(ForgedStatus, status=Status.MEMORY_FAILURE),
    "endless-answer": EndlessAnswer,
    "longer-answer": LongerAnswer,
    "shorter-answer": ShorterAnswer,
    "wrong-mac": WrongMac,
    "wrong-command-mac": WrongCommandMac,
    "replayed": Replayed,
    "stale-read": StaleRead,
    "forged-status": ForgedStatus,
    "held-back": HeldBack,
}
_DURING = {f"tear-{tear.value}": tear for tear in Tear}
_WHOLE: dict[str, Callable[[CardConnection], CardConnection]] = {
    "blocked-pin": BlockedPin,
    "pin-wedge": PinWedge,
}
NAMES = (*_AT_A_COMMAND, *_DURING, *_WHOLE, "slow", "idle-reset", "forged-map", "garbage-atr")
"""Every fault that has a name."""


def _when(text: str) -> Trigger:
    ins, colon, number = text.rpartition(":")
    count = int(number)
    if count < 1:
        raise ValueError(text)
    return nth(count, _instruction(ins) if colon else None)


def _instruction(text: str) -> int:
    named = instruction(text.replace("-", " "))
    return int(text, 16) if named is None else named
