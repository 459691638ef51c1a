"""What befalls a card and its holder: a purse, loads, a new PIN, new keys, loss."""

from dataclasses import replace

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
from simulator.town.plan.model import Happening, Mood
from simulator.town.state import Town
from terminal.agent.card_session import run_session

RENEWED = ("KEY_SET_CHANGED", "KEY_SET_CURRENT")
SESSIONS_MAX = 4
"""Card sessions of one visit: two loads may wait, and one may be torn."""


def issue_card(town: Town, happening: Happening) -> None:
    """The desk makes a purse on the person's card, and she opens the letter."""
    citizen = town.citizens[happening.person]
    if citizen.purse is None:
        make_purse(town, citizen, happening)


def make_purse(town: Town, citizen: Citizen, happening: Happening) -> None:
    """Personalises the card in hand; session after session where one breaks off."""
    if not citizen.in_stock:
        town.founding.take_stock(citizen.card.memory, citizen.suite)
        citizen.in_stock = True
    for _ in range(SESSIONS_MAX):
        done = card_session(town, town.desk, citizen, happening, "personalise", citizen.serial)
        happening = replace(happening, accidents=())
        if done is not None and done.outcome == "PURSE_MADE":
            citizen.purse = PurseId.parse(done.purse)
            town.holders[citizen.purse] = citizen
            read_letter(town, citizen)
            return


def read_letter(town: Town, citizen: Citizen) -> None:
    """The PIN as the newest letter says."""
    assert citizen.purse is not None
    citizen.pin = town.hall.letters.pins[citizen.purse]
    citizen.needs_pin = False
    town.declared.pins_wrong.pop(citizen.purse, None)


def order_load(town: Town, happening: Happening) -> None:
    """The official orders; the person is told that money waits."""
    citizen = town.citizens[happening.person]
    if citizen.purse is None or citizen.lost:
        return
    town.official.order_load(
        citizen.purse,
        citizen.person.holder.codice_fiscale,
        happening.programme,
        happening.cents,
        act=f"Determina {happening.id}",
    )
    citizen.waiting += 1


def collect(town: Town, happening: Happening) -> None:
    """The loads that wait go onto the card, at the desk or at a till that is online."""
    citizen = town.citizens[happening.person]
    station = town.station(happening)
    if citizen.purse is None or citizen.lost or not citizen.waiting or station is None:
        return
    for _ in range(SESSIONS_MAX):
        done = card_session(town, station, citizen, happening, "load", "")
        happening = replace(happening, accidents=())
        gone = done is None or done.outcome == "CARD_GONE"
        if gone and happening.mood is Mood.HURRIED:
            return
        if done is None:
            continue
        if done.outcome == "LOAD_DONE":
            town.truth.loaded[citizen.purse] += done.cents
            citizen.waiting -= 1
            if not citizen.waiting:
                return
            town.pause(happening)
        elif done.outcome == "LOAD_NOTHING_WAITING":
            citizen.waiting = 0
            return
        elif done.outcome not in ("LOAD_AGAIN", "LOAD_TIDIED"):
            town.truth.refused[done.outcome] += 1
            citizen.needs_renewal |= done.outcome == BEING_RENEWED


def reset_pin(town: Town, happening: Happening) -> None:
    """The desk sets a new PIN."""
    citizen = town.citizens[happening.person]
    if citizen.purse is None or citizen.lost or not citizen.needs_pin:
        return
    done = card_session(town, town.desk, citizen, happening, "pin", LOADER)
    if done is not None and done.outcome == "PIN_RESET":
        read_letter(town, citizen)


def renew_card(town: Town, happening: Happening) -> None:
    """The purse goes to the newest key set, with the citizen's PIN; the card and its books as one.

    Not between a backup and its return: what a copy forgets of it needs a person (ADR 20).
    """
    citizen, station = town.citizens[happening.person], town.station(happening)
    if town.hall_copy is None and citizen.purse and not citizen.lost and station is not None:
        done = card_session(town, station, citizen, happening, "renew", "")
        citizen.needs_renewal = done is None or done.outcome not in RENEWED
        if done is not None and citizen.needs_renewal:
            town.truth.refused[done.outcome] += 1


def card_session(
    town: Town, station: Register, citizen: Citizen, happening: Happening, purpose: str,
    reference: str,
) -> SessionCommands | None:  # fmt: skip
    """One card session; None where it did not come to its end: the next one goes on."""
    reader = Reader(citizen, happening.accidents)

    def ask_pin(left: int | None) -> Pin | None:
        return Pin(citizen.pin) if citizen.pin and left is None else None

    try:
        with armed(town, happening, station):
            opening = SessionOpening(purpose, reference)
            return run_session(Channel(reader.connection), station.uplink, opening, ask_pin=ask_pin)
    except Killed:
        die(town, happening, station)
        return None
    except CodedError as error:
        town.truth.refused[error.code] += 1
        return None
    finally:
        town.truth.struck.update(str(item.kind) for item in reader.struck)
        reader.put_back()


def lose_card(town: Town, happening: Happening) -> None:
    """The card is gone."""
    citizen = town.citizens[happening.person]
    if citizen.purse is not None:
        citizen.lost = True
        town.declared.out_of_reach.add(citizen.purse)


def report_loss(town: Town, happening: Happening) -> None:
    """The desk blocks the purse."""
    citizen = town.citizens[happening.person]
    if citizen.lost and citizen.purse is not None:
        citizen.blocked = town.desk_work.block(citizen.purse)


def find_card(town: Town, happening: Happening) -> None:
    """The card turns up; one that a new card has replaced is thrown away."""
    citizen = town.citizens[happening.person]
    if citizen.lost and citizen.purse is not None:
        if citizen.blocked and not town.desk_work.unblock(citizen.purse):
            return
        citizen.lost = citizen.blocked = False
        town.declared.out_of_reach.discard(citizen.purse)


def replace_card(town: Town, happening: Happening) -> None:
    """A new card for one that stays lost; a later visit goes on where an earlier one ended.

    Not between a backup and its return: nobody but the backend knows whose a new purse is.
    """
    citizen = town.citizens[happening.person]
    if town.hall_copy is not None:
        return
    if citizen.blocked and citizen.old_purse is None:
        citizen.take_new_card(town.seed, len(town.cards), town.randomness)
        town.cards.append(citizen.card)
    if citizen.old_purse is None:
        return
    if citizen.purse is None:
        make_purse(town, citizen, happening)
    if citizen.purse is not None:
        orders = town.desk_work.replace(citizen.old_purse, citizen.purse)
        if orders is not None:
            citizen.waiting += orders
            citizen.old_purse, citizen.rest_due = None, True


def take_back(town: Town, happening: Happening) -> None:
    """Who has not fetched a load does not want it; the card is asked where it may be on it."""
    citizen = town.citizens[happening.person]
    if citizen.purse is None or not citizen.waiting or town.recovering:
        return
    _, signed = town.official.take_back(citizen.purse)
    if signed is not None and town.hall_copy is not None:
        return  # what was signed before a backup, and made void after it, would need a person
    if signed is not None and not citizen.lost:
        done = card_session(town, town.desk, citizen, happening, "void", str(signed))
        if done is not None and done.outcome == "LOAD_VOIDED":
            _, signed = town.official.take_back(citizen.purse)
    if signed is None:
        citizen.waiting = 0
