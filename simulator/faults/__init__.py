"""Accidents and attackers between a card and its host, one class each.

Every class is a ``cardlib.connection.CardConnection`` around another one, so they nest::

    card = InProcessConnection(VirtualCard(…))
    shim = TearAfter(Slow(card, every(0xDC), 0.2, clock.sleep), nth(8))

A :data:`Trigger` says when; it counts over the life of the wrapper, resets included.
``accidents`` happen to honest cards, ``attackers`` stand in front of them.
"""

from simulator.card.chip import Tear
from simulator.connection import InProcessConnection
from simulator.faults.accidents import (
    BlockedPin,
    EndlessAnswer,
    GarbageAtr,
    IdleReset,
    MemoryFailure,
    Mute,
    Removable,
    ResetBefore,
    Slow,
    TearAfter,
    TearBefore,
    TearDuring,
)
from simulator.faults.attackers import (
    AlteredAnswer,
    ForgedMap,
    ForgedStatus,
    HeldBack,
    HeldOver,
    LongerAnswer,
    PinWedge,
    Replayed,
    SentAgain,
    ShorterAnswer,
    StaleRead,
    TwoTills,
    WrongCommandMac,
    WrongMac,
)
from simulator.faults.shim import Shim
from simulator.faults.triggers import Trigger, Watched, always, every, nth, since

__all__ = [
    "AlteredAnswer",
    "BlockedPin",
    "EndlessAnswer",
    "ForgedMap",
    "ForgedStatus",
    "GarbageAtr",
    "HeldBack",
    "HeldOver",
    "IdleReset",
    "InProcessConnection",
    "LongerAnswer",
    "MemoryFailure",
    "Mute",
    "PinWedge",
    "Removable",
    "Replayed",
    "ResetBefore",
    "SentAgain",
    "Shim",
    "ShorterAnswer",
    "Slow",
    "StaleRead",
    "Tear",
    "TearAfter",
    "TearBefore",
    "TearDuring",
    "Trigger",
    "TwoTills",
    "Watched",
    "WrongCommandMac",
    "WrongMac",
    "always",
    "every",
    "nth",
    "since",
]
