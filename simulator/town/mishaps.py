"""Accidents of a happening: armed before it, cleared away after it, noted when they struck."""

import random
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

from simulator.town.actors.register import Register
from simulator.town.killed import Killed
from simulator.town.plan.model import Accident, AccidentKind, Happening
from simulator.town.state import Town

ROOM_LEFT = (0, 0, 4_096, 10_000, 24_000, 70_000)
"""Bytes that a full disk still takes: it is full in the middle of something, too."""
POWER_CUT_EVERY = 3
"""One sudden death in so many takes the power with it: what was not synced is in danger."""


@contextmanager
def armed(town: Town, happening: Happening, register: Register) -> Generator[None]:
    """Whatever is planned for disk, line and backend while the block runs.

    The backend is started again afterwards if it died. Accidents of cards are the
    ``Reader``'s business.
    """
    register.line.begin(happening.seed)
    register.online = town.online(register.shop)
    for accident in happening.accidents:
        _arm(town, register, accident)
    before, full = register.line.counts.copy(), _was_full(town, register)
    try:
        yield
    finally:
        register.disk.kill_at(0, "before")
        register.disk.clear()
        if _was_full(town, register) > full:
            town.truth.struck[AccidentKind.DISK_FULL] += 1
        _clear(town, happening, faults=register.line.counts - before)


@contextmanager
def under_people(town: Town, happening: Happening) -> Generator[None]:
    """The backend may die while people at the town hall work in it; Killed when it did."""
    for accident in happening.accidents:
        if accident.kind is AccidentKind.KILL_BACKEND:
            town.hall.kill_at(accident.at, "after" if accident.variant % 2 else "before")
    try:
        yield
    except Killed:
        town.hall.died()
        town.truth.struck[AccidentKind.KILL_BACKEND] += 1
        raise
    finally:
        town.hall.restart()


def die(town: Town, happening: Happening, register: Register) -> None:
    """A machine's programs were killed: it is started again, and the till if it sold."""
    sold = register.till is not None
    rng = random.Random(happening.seed)
    register.die(rng if rng.randrange(POWER_CUT_EVERY) == 0 else None)
    for accident in happening.accidents:
        if accident.kind in (AccidentKind.KILL_TILL, AccidentKind.KILL_AGENT):
            town.truth.struck[accident.kind] += 1
    if sold:
        register.open()


def _was_full(town: Town, register: Register) -> int:
    """How often a write found no room, or a till would not begin a sale without any."""
    return register.disk.refused + town.truth.refused["JOURNAL_DISK_FULL"]


def _arm(town: Town, register: Register, accident: Accident) -> None:
    side: Literal["before", "after"] = "after" if accident.variant % 2 else "before"
    match accident.kind:
        case AccidentKind.KILL_TILL | AccidentKind.KILL_AGENT:
            register.disk.kill_at(accident.at, side)
        case AccidentKind.KILL_BACKEND:
            town.hall.kill_at(accident.at, side)
        case AccidentKind.DISK_FULL:
            register.disk.fill(ROOM_LEFT[accident.variant % len(ROOM_LEFT)])
        case AccidentKind.LINE_FAULT:
            register.line.fault_at(accident.at, accident.variant)


def _clear(town: Town, happening: Happening, faults: dict[str, int]) -> None:
    for accident in happening.accidents:
        if accident.kind is AccidentKind.KILL_BACKEND:
            town.truth.struck[accident.kind] += not town.hall.up
            town.hall.restart()
        if accident.kind is AccidentKind.LINE_FAULT and set(faults) - {"requests", "down"}:
            town.truth.struck[accident.kind] += 1
