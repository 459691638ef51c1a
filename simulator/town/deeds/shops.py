"""What happens at the shops: opening, selling, reporting, closing, and what befalls a till."""

from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.town.deeds.cards import renew_card, reset_pin
from simulator.town.killed import Killed
from simulator.town.mishaps import armed, die
from simulator.town.plan.model import Happening

if TYPE_CHECKING:
    from simulator.town.world import World


def open_till(world: "World", happening: Happening) -> None:
    """The machine is switched on, the till started."""
    register = world.registers[happening.place]
    if register.till is None and not register.gone:
        register.clock.reboot()
        register.open()
        world.cashier.hand_over(register, happening)


def close_till(world: "World", happening: Happening) -> None:
    """The till is ended and the machine switched off."""
    world.registers[happening.place].stop()


def buy(world: "World", happening: Happening) -> None:
    """Serves a customer, after a new PIN where that is needed."""
    citizen, register = world.citizens[happening.person], world.registers[happening.place]
    if citizen.purse is None or citizen.lost or register.till is None:
        return
    calm = replace(happening, shop="", accidents=())
    if citizen.needs_pin:
        reset_pin(world, calm)
    if citizen.needs_renewal:
        renew_card(world, calm)
    world.cashier.sell(register, citizen, happening)
    citizen.last_bought = happening.place


def void(world: "World", happening: Happening) -> None:
    """Goods come back to the till where they were bought."""
    citizen, register = world.citizens[happening.person], world.registers[happening.place]
    bought_here = citizen.last_bought == happening.place
    if bought_here and not citizen.lost and register.till is not None:
        world.cashier.void(register, citizen, happening)


def synchronise(world: "World", happening: Happening) -> None:
    """A round of the agent."""
    register = world.register(happening.place)
    if register.gone:
        return
    with armed(world, happening, register):
        try:
            report = register.synchronise()
            if report.problem:
                world.declared.troubles[report.problem] += 1
        except Killed:
            die(world, happening, register)
    world.cashier.hand_over(register, happening)


def lines_up(world: "World", _happening: Happening) -> None:
    """All lines are repaired."""
    world.lines_up = True


def show_cards(world: "World", happening: Happening) -> None:
    """Whoever's card a till waits for comes by."""
    register = world.registers[happening.place]
    if register.till is None:
        return
    for waiting in register.till.journal.views.unsettled():
        citizen = world.holders.get(waiting.purse)
        if citizen is not None and citizen.purse == waiting.purse and not citizen.lost:
            world.cashier.settle(register, citizen, happening)


def clock_jump(world: "World", happening: Happening) -> None:
    """The wall clock is wrong from now on."""
    world.registers[happening.place].clock.jump(happening.seconds)
    world.truth.struck["clock_jump"] += 1


def clock_right(world: "World", happening: Happening) -> None:
    """The wall clock is right again, and the machine started anew."""
    register = world.registers[happening.place]
    register.clock.set_right()


def backup_till(world: "World", happening: Happening) -> None:
    """Somebody copies a till's disk."""
    world.disk_copies[happening.place] = world.registers[happening.place].disk.copy()


def restore_till(world: "World", happening: Happening) -> None:
    """The copy is put back; the agent finds out, and the shop gets a till of a new number."""
    register, backup = world.registers[happening.place], world.disk_copies.get(happening.place)
    if backup is None or register.gone:
        return
    register.put_back(backup)
    world.declared.journal_restored(register.terminal)
    world.truth.struck[happening.kind] += 1
    world.new_till(happening.place)


def steal_till(world: "World", happening: Happening) -> None:
    """A till is gone in the night; in the morning there is a new one."""
    world.truth.struck[happening.kind] += 1
    world.new_till(happening.place)
    world.disk_copies.pop(happening.place, None)


def close_batch(world: "World", happening: Happening) -> None:
    """The day's X and Z."""
    register = world.registers[happening.place]
    if register.till is not None and not register.gone:
        world.cashier.close_batch(register, happening)


def stranger(world: "World", happening: Happening) -> None:
    """Somebody has found a card; the first PIN that comes to mind is wrong."""
    citizen, register = world.citizens[happening.person], world.registers[happening.place]
    if citizen.lost and citizen.purse is not None and register.till is not None:
        world.cashier.sell(register, citizen.with_pin(citizen.wrong_pin()), happening)
