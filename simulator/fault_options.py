"""Faults by name, for command lines, scripts and keys: ``NAME``, ``NAME:WHEN`` or ``NAME:VALUE``.

``WHEN`` is the number of a command (``8``), or an instruction and the number of its
occurrence, in hex or by name (``DC:1``, ``update-record:1``); ``write:1`` is the first
command that writes a purse. The names:

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
``timed``, ``timed:BITRATE``              it takes a chip's time (``simulator.timing``)
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
from cardlib.trace import WRITING, instruction
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
    Shim,
    ShorterAnswer,
    Slow,
    StaleRead,
    Tear,
    TearAfter,
    TearBefore,
    TearDuring,
    Trigger,
    Watched,
    WrongCommandMac,
    WrongMac,
    always,
    nth,
)
from simulator.faults.accidents import GARBAGE, IDLE_S
from simulator.module_card.card import ModuleCard
from simulator.timing import Line, Timed, TimingModel

AnyCard = VirtualCard | ModuleCard
"""What can be in a slot."""


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
        connection = parse(text, clock)(connection, card)
        if isinstance(connection, Removable):
            removable.append(connection)

    def reinsert() -> None:
        for shim in removable:
            shim.gone = False
        connection.reset()

    return FaultyCard(connection, reinsert)


class Fault:
    """One fault, for one card: call it to put it between the card and a connection to it."""

    def __init__(
        self,
        text: str,
        shim: Callable[[CardConnection, AnyCard], Shim],
        trigger: Watched | None = None,
    ) -> None:
        self.text = text
        self._shim = shim
        self._trigger = trigger

    @property
    def waits(self) -> bool:
        """Whether it waits for one command, and is not there from the beginning."""
        return self._trigger is not None

    @property
    def struck(self) -> bool:
        """Whether it has come to the command it waited for; others strike all the time."""
        return self._trigger is None or self._trigger.struck

    def __call__(self, connection: CardConnection, card: AnyCard) -> Shim:
        """The connection with the fault in it; FaultError for a card that cannot have it."""
        return self._shim(connection, card)


def parse(text: str, clock: Clock) -> Fault:
    """The fault that ``text`` names, or one of :data:`PRESETS`; FaultError when there is none."""
    name, _, argument = PRESETS.get(text, text).partition(":")
    try:
        if name in _AT_A_COMMAND:
            make, when = _AT_A_COMMAND[name], Watched(_when(argument))
            return Fault(text, lambda connection, _card: make(connection, when), when)
        if name in _DURING:
            tear, at = _DURING[name], Watched(_when(argument))
            return Fault(text, lambda inner, card: _torn(inner, card, at, tear), at)
        shim = _with_value(name, argument, clock)
    except (ValueError, OverflowError):
        raise FaultError(fault=text) from None
    return Fault(text, lambda connection, _card: shim(connection))


def _with_value(name: str, argument: str, clock: Clock) -> Callable[[CardConnection], Shim]:
    match name, argument:
        case ("blocked-pin", ""):
            return BlockedPin
        case ("pin-wedge", ""):
            return PinWedge
        case ("slow", seconds):
            return partial(Slow, when=always, seconds=float(seconds), sleep=clock.sleep)
        case ("idle-reset", seconds):
            return partial(IdleReset, clock=clock, seconds=float(seconds or IDLE_S))
        case ("timed", bit_rate):
            return partial(_timed, clock=clock, bit_rate=float(bit_rate or 0))
        case ("forged-map", byte):
            return partial(ForgedMap, record_map=bytes((int(byte, 16),))[0])
        case ("garbage-atr", octets):
            return partial(GarbageAtr, atr=bytes.fromhex(octets) or GARBAGE)
    raise ValueError(name)


_AT_A_COMMAND: dict[str, Callable[[CardConnection, Trigger], Shim]] = {
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
_WITH_VALUE = (
    "blocked-pin", "pin-wedge", "slow", "idle-reset", "timed", "forged-map", "garbage-atr",
)  # fmt: skip
NAMES = (*_AT_A_COMMAND, *_DURING, *_WITH_VALUE)
"""Every fault that has a name."""
PRESETS = {
    "tear": "tear-after:write:1",
    "mute": "mute:1",
    "slow": "slow:2",
    "wrong-mac": "wrong-mac:read-record:1",
    "6581": "memory-failure:write:1",
    "blocked-pin": "blocked-pin",
    "idle-reset": "idle-reset",
    "stale-read": "stale-read:1",
    "held-back": "held-back:write:1",
    "pin-wedge": "pin-wedge",
}
"""One word each, for keys and scripts: at the next command, write or MAC, or from now on."""
_WRITES = "write"


def _torn(connection: CardConnection, card: AnyCard, when: Trigger, tear: Tear) -> Shim:
    if not isinstance(card, VirtualCard):
        raise FaultError(fault=f"tear-{tear.value}")
    return TearDuring(connection, card, when, tear)


def _timed(connection: CardConnection, *, clock: Clock, bit_rate: float) -> Shim:
    return Timed(connection, clock, TimingModel(Line.of(connection.atr, bit_rate or None)))


def _when(text: str) -> Trigger:
    ins, colon, number = text.rpartition(":")
    count = int(number)
    if count < 1:
        raise ValueError(text)
    return nth(count, _instruction(ins) if colon else None)


def _instruction(text: str) -> int | tuple[int, ...]:
    if text == _WRITES:
        return WRITING
    named = instruction(text.replace("-", " "))
    return int(text, 16) if named is None else named
