"""What happens at the shops: opening, selling, reporting, closing, and what befalls a till."""

from dataclasses import replace

from simulator.town.actors.cashier import Cashier
from simulator.town.deeds.cards import renew_card, reset_pin
from simulator.town.deeds.put_back import look_at_round
from simulator.town.killed import Killed
from simulator.town.mishaps import armed, die
from simulator.town.plan.model import Happening
from simulator.town.state import Town


def open_till(town: Town, happening: Happening) -> None:
    """The machine is switched on, the till started."""
    register = town.registers[happening.place]
    if register.till is None and not register.gone:
        register.clock.reboot()
        register.open()
        Cashier(town, happening).hand_over(register)


def close_till(town: Town, happening: Happening) -> None:
    """The till is ended and the machine switched off."""
    town.registers[happening.place].stop()


def buy(town: Town, happening: Happening) -> None:
    """Serves a customer, after a new PIN where that is needed."""
    citizen, register = town.citizens[happening.person], town.registers[happening.place]
    if citizen.purse is None or citizen.lost or register.till is None:
        return
    calm = replace(happening, shop="", accidents=())
    if citizen.needs_pin:
        reset_pin(town, calm)
    if citizen.needs_renewal:
        renew_card(town, calm)
    Cashier(town, happening).sell(register, citizen)
    citizen.last_bought = happening.place


def void(town: Town, happening: Happening) -> None:
    """Goods come back to the till where they were bought."""
    citizen, register = town.citizens[happening.person], town.registers[happening.place]
    bought_here = citizen.last_bought == happening.place
    if bought_here and not citizen.lost and register.till is not None:
        Cashier(town, happening).void(register, citizen)


def synchronise(town: Town, happening: Happening) -> None:
    """A round of the agent."""
    register = town.register(happening.place)
    if register.gone:
        return
    with armed(town, happening, register):
        try:
            report = register.synchronise()
        except Killed:
            die(town, happening, register)
            report = None
    Cashier(town, happening).hand_over(register)
    if report is not None:
        if report.problem:
            town.declared.troubles[report.problem] += 1
        look_at_round(town, happening, register, report)


def lines_up(town: Town, _happening: Happening) -> None:
    """All lines are repaired."""
    town.lines_up = True


def show_cards(town: Town, happening: Happening) -> None:
    """Whoever's card a till waits for comes by."""
    register = town.registers[happening.place]
    if register.till is None:
        return
    for waiting in register.till.journal.views.unsettled():
        citizen = town.holders.get(waiting.purse)
        if citizen is not None and citizen.purse == waiting.purse and not citizen.lost:
            Cashier(town, happening).settle(register, citizen)


def clock_jump(town: Town, happening: Happening) -> None:
    """The wall clock is wrong from now on."""
    town.registers[happening.place].clock.jump(happening.seconds)
    town.truth.struck["clock_jump"] += 1


def clock_right(town: Town, happening: Happening) -> None:
    """The wall clock is right again, and the machine started anew."""
    register = town.registers[happening.place]
    register.clock.set_right()


def steal_till(town: Town, happening: Happening) -> None:
    """A till is gone in the night; in the morning there is a new one."""
    town.truth.struck[happening.kind] += 1
    town.new_till(happening.place)


def close_batch(town: Town, happening: Happening) -> None:
    """The day's X and Z."""
    register = town.registers[happening.place]
    if register.till is not None and not register.gone:
        Cashier(town, happening).close_batch(register)


def stranger(town: Town, happening: Happening) -> None:
    """Somebody has found a card; the first PIN that comes to mind is wrong."""
    citizen, register = town.citizens[happening.person], town.registers[happening.place]
    if citizen.lost and citizen.purse is not None and register.till is not None:
        Cashier(town, happening).sell(register, citizen.with_pin(citizen.wrong_pin()))
