"""What adversaries at tills have in common: they lie in wait, and buy with a card of theirs.

An attacker strikes after purchases, where the town has just shown that a card is at hand and a
till open. Its own Random, from the town's seed and its name, says when.
"""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar

from cardlib.calendar import day_at
from cardlib.codec.purse import day_number
from cardlib.connection import CardConnection
from cardlib.wire.entry_body import Body, Committed, NotApplied
from cardlib.wire.money import Money
from simulator.town.actors.cashier import Cashier
from simulator.town.actors.citizen import Citizen
from simulator.town.actors.counter_talk import CounterTalk
from simulator.town.actors.reader import Reader
from simulator.town.actors.register import Register
from simulator.town.adversaries.attacker import Attacker
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.plan.calendar import DAY_LIMIT
from simulator.town.plan.model import FOOD, Happening, Mood
from simulator.town.randomness import sub_seed
from simulator.town.state import Town
from simulator.town.truth import Delivery
from terminal.pay import Order
from terminal.sale.day_spent import spent_today
from terminal.sale.offer import Item

_LAST = 4
PRICE = 300
"""Cents of an attacker's basket, unless it wants more."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A moment to strike: a card with money, at an open till, after an honest purchase."""

    town: Town
    register: Register
    citizen: Citizen
    happening: Happening


class TillAttack(Attacker):
    """A subclass says what :meth:`strike` does.

    ``tally.gain`` counts goods that no chip paid for, over all :meth:`buy`.
    """

    tries: ClassVar[int] = 3
    worth: ClassVar[int] = 2 * PRICE
    """Cents that the victim's card must hold."""
    eagerness: ClassVar[float] = 0.8
    """How often it takes a good moment."""

    def take_turn(self, town: Town, happening: Happening) -> None:
        """Strikes if this is a good moment."""
        scene = self.scene(town, happening)
        if scene is not None and self.rng(happening).random() < self.eagerness:
            self.tally.attempts += 1
            self.strike(scene)

    @abstractmethod
    def strike(self, scene: Scene) -> None:
        """One attempt."""

    def rng(self, happening: Happening) -> Random:
        """Chance that belongs to this adversary and happening, and to no other."""
        return Random(sub_seed(happening.seed, "adversary", self.name))

    def scene(self, town: Town, happening: Happening) -> Scene | None:
        """The person and the till of a purchase; None where either cannot serve."""
        register, citizen = town.registers[happening.place], town.citizens[happening.person]
        waiting = register.till is not None and register.till.journal.views.unsettled()
        if register.till is None or waiting or not can_buy(town, citizen, self.worth):
            return None
        if citizen.purse in town.declared.rogue_purses:
            return None
        return Scene(town, register, citizen, self.quiet(happening))

    def quiet(self, happening: Happening) -> Happening:
        """A happening of its own, in which nothing goes wrong by accident."""
        return replace(
            happening, id=f"{happening.id}+{self.name}", seed=sub_seed(happening.seed, self.name),
            accidents=(), pin_slips=0, forgets=False, cents=0, mood=Mood.PATIENT,
        )  # fmt: skip

    # at the counter -----------------------------------------------------------------------------

    def buy(
        self, scene: Scene, connection: CardConnection, cents: int = PRICE, *,
        register: Register | None = None, citizen: Citizen | None = None,
    ) -> int:  # fmt: skip
        """Asks for food worth ``cents`` with what ``connection`` shows; cents of goods obtained.

        ``citizen`` types the PIN, if it is another than the scene's.
        """
        talk = self.talk(scene, connection, register=register, citizen=citizen)
        return sum(item.cents for item in self.serve(scene, self.order(cents), talk))

    @staticmethod
    def order(cents: int) -> Order:
        """A basket of food that vouchers pay whole, or not at all."""
        return Order((Item(FOOD, Money(cents)),))

    def talk(
        self, scene: Scene, connection: CardConnection, *,
        register: Register | None = None, citizen: Citizen | None = None,
    ) -> CounterTalk:  # fmt: skip
        """Whoever stands before the till, with this in the reader."""
        customer = citizen or scene.citizen
        reader = Reader(customer)
        reader.connection = connection
        return CounterTalk(register or scene.register, customer, reader, slips=0)

    def serve(self, scene: Scene, order: Order, talk: CounterTalk) -> list[Delivery]:
        """What the honest cashier hands over; refusals go into the tally."""
        truth = scene.town.truth
        refused, before = truth.refused.copy(), len(truth.deliveries)
        Cashier(scene.town, scene.happening).serve(order, talk)
        scene.town.declared.acted_at(talk.register.terminal)
        for code, count in (truth.refused - refused).items():
            self.refused(code, count)
        return truth.deliveries[before:]

    def refused(self, code: str, count: int = 1) -> None:
        """Notes refusals."""
        for _ in range(count):
            self.tally.refuse(code)


def closed_by(register: Register) -> Body | None:
    """The newest entry of a till that closes an intent; a proof may follow it."""
    with register.journal() as journal:
        newest = sorted(journal.views.newest(_LAST), key=lambda stored: -stored.seq)
    bodies = (stored.decode().body for stored in newest)
    return next((body for body in bodies if isinstance(body, Committed | NotApplied)), None)


def can_buy(town: Town, citizen: Citizen, cents: int) -> bool:
    """Whether the chip holds so much, and its holder a PIN that works."""
    if citizen.purse is None or citizen.lost or citizen.needs_pin or citizen.pin is None:
        return False
    return groceries(OpenedCard(town, citizen)) >= cents


def groceries(card: OpenedCard) -> int:
    """Cents of the wallet that pays for food: the fullest slot."""
    return max((card.balance(slot) for slot in card.grants), default=0)


def room_today(card: OpenedCard, town: Town) -> int:
    """Cents that the day limit leaves, as a till reckons from what the card shows."""
    return max(0, DAY_LIMIT - spent_today(card.newest, day_number(day_at(town.time.now_s))))


def spent(card: OpenedCard) -> int:
    """Cents that the chip has paid in its life, voids taken off."""
    return sum(card.newest.spent)


def other_registers(town: Town, than: Register) -> Iterable[Register]:
    """Open tills of the town besides one, in the plan's order; nothing is open at them."""
    return (
        register
        for register in town.registers.values()
        if register is not than and register.till is not None
        if not register.till.journal.views.unsettled()
    )
