"""Accidents of a happening: armed before it, cleared away after it, noted when they struck."""

import random
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from simulator.town.actors.register import Register
from simulator.town.killed import Killed
from simulator.town.plan.model import Accident, AccidentKind, Happening

if TYPE_CHECKING:
    from simulator.town.world import World

POWER_CUT_EVERY = 3
"""One sudden death in so many takes the power with it: what was not synced is in danger."""


@contextmanager
def armed(world: "World", happening: Happening, register: Register) -> Generator[None]:
    """Whatever is planned for disk, line and backend while the block runs.

    The backend is started again afterwards if it died. Accidents of cards are the
    ``Reader``'s business.
    """
    register.line.begin(happening.seed)
    register.online = world.online(register.shop)
    for accident in happening.accidents:
        _arm(world, register, accident)
    before = register.line.counts.copy()
    try:
        yield
    finally:
        register.disk.kill_at(0, "before")
        register.disk.clear()
        _clear(world, happening, faults=register.line.counts - before)


@contextmanager
def under_people(world: "World", happening: Happening) -> Generator[None]:
    """The backend may die while people at the town hall work in it; Killed when it did."""
    for accident in happening.accidents:
        if accident.kind is AccidentKind.KILL_BACKEND:
            world.hall.kill_at(accident.at, "after" if accident.variant % 2 else "before")
    try:
        yield
    except Killed:
        world.hall.died()
        world.truth.struck[AccidentKind.KILL_BACKEND] += 1
        raise
    finally:
        world.hall.restart()


def die(world: "World", happening: Happening, register: Register) -> None:
    """A machine's programs were killed: it is started again, and the till if it sold."""
    sold = register.till is not None
    rng = random.Random(happening.seed)
    register.die(rng if rng.randrange(POWER_CUT_EVERY) == 0 else None)
    for accident in happening.accidents:
        if accident.kind in (AccidentKind.KILL_TILL, AccidentKind.KILL_AGENT):
            world.truth.struck[accident.kind] += 1
    if sold:
        register.open()


def _arm(world: "World", register: Register, accident: Accident) -> None:
    side: Literal["before", "after"] = "after" if accident.variant % 2 else "before"
    match accident.kind:
        case AccidentKind.KILL_TILL | AccidentKind.KILL_AGENT:
            register.disk.kill_at(accident.at, side)
        case AccidentKind.KILL_BACKEND:
            world.hall.kill_at(accident.at, side)
        case AccidentKind.DISK_FULL:
            register.disk.fill()
            world.truth.struck[accident.kind] += 1
        case AccidentKind.LINE_FAULT:
            register.line.fault_at(accident.at, accident.variant)


def _clear(world: "World", happening: Happening, faults: dict[str, int]) -> None:
    for accident in happening.accidents:
        if accident.kind is AccidentKind.KILL_BACKEND:
            world.truth.struck[accident.kind] += not world.hall.up
            world.hall.restart()
        if accident.kind is AccidentKind.LINE_FAULT and set(faults) - {"requests", "down"}:
            world.truth.struck[accident.kind] += 1
