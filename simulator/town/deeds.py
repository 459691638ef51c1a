"""What each kind of happening does in a world."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from cardlib.channel import Channel
from cardlib.codec.pin import Pin
from cardlib.errors import CodedError
from cardlib.wire.card_session import SessionCommands, SessionOpening
from cardlib.wire.ids import PurseId
from simulator.town.actors.cashier import BEING_RENEWED
from simulator.town.actors.citizen import Citizen
from simulator.town.actors.official import LOADER
from simulator.town.actors.reader import Reader
from simulator.town.actors.register import Register
from simulator.town.killed import Killed
from simulator.town.mishaps import armed, die
from simulator.town.plan.model import Happening, Kind
from terminal.agent.card_session import run_session

if TYPE_CHECKING:
    from simulator.town.world import World

RENEWED = ("KEY_SET_CHANGED", "KEY_SET_CURRENT")
SESSIONS_MAX = 4
"""Card sessions of one visit: two loads may wait, and one may be torn."""


def issue_card(world: "World", happening: Happening) -> None:
    """The desk makes a purse on the person's card, and she opens the letter."""
    citizen = world.citizens[happening.person]
    if citizen.purse is None:
        make_purse(world, citizen, happening)


def make_purse(world: "World", citizen: Citizen, happening: Happening) -> None:
    """Personalises the card in hand; session after session where one breaks off."""
    if not citizen.in_stock:
        world.official.take_stock(citizen.card.memory)
        citizen.in_stock = True
    for _ in range(SESSIONS_MAX):
        done = card_session(world, world.desk, citizen, happening, "personalise", citizen.serial)
        happening = replace(happening, accidents=())
        if done is not None and done.outcome == "PURSE_MADE":
            citizen.purse = PurseId.parse(done.purse)
            world.holders[citizen.purse] = citizen
            read_letter(world, citizen)
            return


def read_letter(world: "World", citizen: Citizen) -> None:
    """The PIN as the newest letter says."""
    assert citizen.purse is not None
    citizen.pin = world.hall.letters.pins[citizen.purse]
    citizen.needs_pin = False


def order_load(world: "World", happening: Happening) -> None:
    """The official orders; the person is told that money waits."""
    citizen = world.citizens[happening.person]
    if citizen.purse is None or citizen.lost:
        return
    world.official.order_load(
        citizen.purse, citizen.person.holder.codice_fiscale, happening.programme, happening.cents
    )
    citizen.waiting += 1


def collect(world: "World", happening: Happening) -> None:
    """The loads that wait go onto the card, at the desk or at a till that is online."""
    citizen = world.citizens[happening.person]
    station = world.station(happening)
    if citizen.purse is None or citizen.lost or not citizen.waiting or station is None:
        return
    for _ in range(SESSIONS_MAX):
        done = card_session(world, station, citizen, happening, "load", "")
        happening = replace(happening, accidents=())
        if done is None:
            continue
        if done.outcome == "LOAD_DONE":
            world.truth.loaded[citizen.purse] += done.cents
            citizen.waiting -= 1
            if not citizen.waiting:
                return
            world.look(happening)
        elif done.outcome == "LOAD_NOTHING_WAITING":
            citizen.waiting = 0
            return
        elif done.outcome not in ("LOAD_AGAIN", "LOAD_TIDIED"):
            world.truth.refused[done.outcome] += 1
            citizen.needs_renewal |= done.outcome == BEING_RENEWED


def reset_pin(world: "World", happening: Happening) -> None:
    """The desk sets a new PIN."""
    citizen = world.citizens[happening.person]
    if citizen.purse is None or citizen.lost or not citizen.needs_pin:
        return
    done = card_session(world, world.desk, citizen, happening, "pin", LOADER)
    if done is not None and done.outcome == "PIN_RESET":
        read_letter(world, citizen)


def renew_card(world: "World", happening: Happening) -> None:
    """The purse goes to the newest key set, with the citizen's PIN."""
    citizen, station = world.citizens[happening.person], world.station(happening)
    if world.hall_copy is None and citizen.purse and not citizen.lost and station is not None:
        done = card_session(world, station, citizen, happening, "renew", "")
        citizen.needs_renewal = done is None or done.outcome not in RENEWED
        if done is not None and citizen.needs_renewal:
            world.truth.refused[done.outcome] += 1


def card_session(
    world: "World", station: Register, citizen: Citizen, happening: Happening, purpose: str,
    reference: str,
) -> SessionCommands | None:  # fmt: skip
    """One card session; None where it did not come to its end: the next one goes on."""
    reader = Reader(citizen, happening.accidents)

    def ask_pin(left: int | None) -> Pin | None:
        return Pin(citizen.pin) if citizen.pin and left is None else None

    try:
        with armed(world, happening, station):
            opening = SessionOpening(purpose, reference)
            return run_session(Channel(reader.connection), station.uplink, opening, ask_pin=ask_pin)
    except CodedError as error:
        world.truth.refused[error.code] += 1
        return None
    finally:
        world.truth.struck.update(str(item.kind) for item in reader.struck)
        reader.put_back()


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


def lose_card(world: "World", happening: Happening) -> None:
    """The card is gone."""
    citizen = world.citizens[happening.person]
    citizen.lost = citizen.purse is not None


def report_loss(world: "World", happening: Happening) -> None:
    """The desk blocks the purse."""
    citizen = world.citizens[happening.person]
    if citizen.lost and citizen.purse is not None and world.hall_copy is None:
        citizen.blocked = world.desk_work.block(citizen.purse)


def find_card(world: "World", happening: Happening) -> None:
    """The card turns up; one that a new card has replaced is thrown away."""
    citizen = world.citizens[happening.person]
    if citizen.lost and citizen.purse is not None and world.hall_copy is None:
        if citizen.blocked and not world.desk_work.unblock(citizen.purse):
            return
        citizen.lost = citizen.blocked = False


def replace_card(world: "World", happening: Happening) -> None:
    """A new card for one that stays lost; a later visit goes on where an earlier one ended."""
    citizen = world.citizens[happening.person]
    if world.hall_copy is not None:
        return
    if citizen.blocked and citizen.old_purse is None:
        citizen.take_new_card(world.seed, len(world.cards), world.randomness)
        world.cards.append(citizen.card)
    if citizen.old_purse is None:
        return
    if citizen.purse is None:
        make_purse(world, citizen, happening)
    if citizen.purse is not None:
        orders = world.desk_work.replace(citizen.old_purse, citizen.purse)
        if orders is not None:
            citizen.waiting += orders
            citizen.old_purse, citizen.rest_due = None, True


def settle(world: "World", happening: Happening) -> None:
    """Batches, approvals, the payment order."""
    turns_down = bool(world.plan.accidents) and not happening.id.startswith("end-")
    rng = random.Random(happening.seed) if turns_down else None
    world.official.settle(happening.until_ms // 1000, rng)


def desk_work(world: "World", _happening: Happening) -> None:
    """Cases are closed, refunds ordered; who is owed one is told."""
    if world.recovering or world.hall_copy is not None:
        return
    world.desk_work.close_cases()
    moved = {old: who.purse for old, who in world.holders.items() if who.purse is not None}
    for purse in world.desk_work.order_refunds(moved):
        world.holders[purse].waiting += 1


def pay(world: "World", happening: Happening) -> None:
    """The bank's evening."""
    fails = not happening.id.startswith("end-")
    world.bank.carry_out(world.official, happening.seed, happening.id, fails=fails)


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


def end_day(world: "World", _happening: Happening) -> None:
    """The night work of the backend; after a restored backup it is asked whether all are back."""
    if world.recovering:
        world.recovering = not world.official.end_recovery()
    if world.official.end_day().rests_ordered:
        for citizen in world.citizens.values():
            citizen.waiting += citizen.rest_due


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


def backup_backend(world: "World", _happening: Happening) -> None:
    """The operator copies the database."""
    if not world.recovering:
        world.hall_copy = world.hall.backup()


def restore_backend(world: "World", happening: Happening) -> None:
    """The copy is put back: what tills have sent since, they send again."""
    if world.hall_copy is not None:
        world.hall.restore(world.hall_copy)
        world.declared.backend_restored()
        world.recovering = True
        world.truth.struck[happening.kind] += 1
    world.hall_copy = None


def announce_keys(world: "World", _happening: Happening) -> None:
    """The next key set."""
    world.official.announce_keys()


def begin_keys(world: "World", _happening: Happening) -> None:
    """Cards may change."""
    world.official.begin_keys()


Deed = Callable[["World", Happening], None]
DEEDS: Mapping[Kind, Deed] = {
    Kind.ISSUE_CARD: issue_card,
    Kind.ORDER_LOAD: order_load,
    Kind.COLLECT: collect,
    Kind.OPEN_TILL: open_till,
    Kind.CLOSE_TILL: close_till,
    Kind.BUY: buy,
    Kind.VOID: void,
    Kind.SYNC: synchronise,
    Kind.RESET_PIN: reset_pin,
    Kind.LOSE_CARD: lose_card,
    Kind.REPORT_LOSS: report_loss,
    Kind.FIND_CARD: find_card,
    Kind.REPLACE_CARD: replace_card,
    Kind.DESK_WORK: desk_work,
    Kind.SETTLE: settle,
    Kind.END_DAY: end_day,
    Kind.BACKUP_TILL: backup_till,
    Kind.RESTORE_TILL: restore_till,
    Kind.STEAL_TILL: steal_till,
    Kind.BACKUP_BACKEND: backup_backend,
    Kind.RESTORE_BACKEND: restore_backend,
    Kind.PAY: pay,
    Kind.ANNOUNCE_KEYS: announce_keys,
    Kind.BEGIN_KEYS: begin_keys,
    Kind.RENEW_CARD: renew_card,
    Kind.CLOCK_JUMP: clock_jump,
    Kind.CLOCK_RIGHT: clock_right,
    Kind.SHOW_CARDS: show_cards,
    Kind.LINES_UP: lines_up,
}
