"""Plays a :class:`Plan`: one event at a time, in virtual time, on the real product.

::

    plan = make_plan(seed=1, days=7, size=Size(people=12, shops=3), faults=0.05)
    with World(plan, watchers=[...]) as world:
        world.play()
    world.truth.delivered()        # what truly happened, apart from the product

What others build on:

- ``world.plan``, ``world.time`` (``TownTime``), ``world.randomness`` (begun anew by each
  happening), ``world.truth`` (``Truth``: goods handed over, orders, payments);
- ``world.hall``: the backend. ``hall.backend`` is ``backend.composition.Backend``;
- ``world.founding``, ``official``, ``operator``, ``accountant``, ``desk_work``, ``bank``: who acts;
- ``world.citizens``: by key; ``citizen.card`` is the ``VirtualCard`` in memory,
  ``citizen.line()`` a connection to it, ``citizen.purse`` and ``citizen.pin`` as known,
  ``citizen.history`` every SPEND record that its chip ever took, oldest first;
- ``world.registers``: tills by ``(shop, number)``, and ``world.desk``. ``register.till`` is
  the open ``Till`` or None, ``register.counter`` its ``Counter``, ``register.journal()`` a
  reader of its journal whether it sells or not;
- ``Watcher.after(world, happening)`` is called after every happening, and
  ``Watcher.at_end(world)`` once; each raises ``TownError`` on a breach.

An adversary is a watcher too: what it does between happenings, on the cards, lines and tills
above, is its own business. A happening that cannot be (a card that is lost, a till that is
closed) does nothing.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from sqlalchemy import Engine

from cardlib.keys.derivation import IssuerMasters
from cardlib.wire.ids import PurseId
from simulator.card.card import VirtualCard
from simulator.town.actors.accountant import Accountant
from simulator.town.actors.bank import Bank
from simulator.town.actors.cashier import Cashier
from simulator.town.actors.citizen import Citizen
from simulator.town.actors.desk_work import DeskWork
from simulator.town.actors.founding import Founding
from simulator.town.actors.official import Official
from simulator.town.actors.operator import Operator
from simulator.town.actors.register import Register
from simulator.town.checks.declared import Declared
from simulator.town.clock import DeviceClock, TownTime
from simulator.town.deeds import DEEDS
from simulator.town.disk import DiskCopy
from simulator.town.hall import Hall, HallBackup
from simulator.town.killed import Killed
from simulator.town.mishaps import under_people
from simulator.town.plan.accidents import BY_PEOPLE
from simulator.town.plan.model import DESK, Happening, Plan
from simulator.town.randomness import SeededRandomness
from simulator.town.truth import Truth


class Watcher(Protocol):
    """Looks at a town as it goes on."""

    def after(self, world: "World", happening: Happening) -> None:
        """After every happening; TownError on a breach."""
        ...

    def at_end(self, world: "World") -> None:
        """When everything has happened."""
        ...


class World:
    """A town that plays one plan."""

    happening: Happening | None = None
    """What is going on now."""
    lines_up = False
    """Whether all lines are repaired, whatever the plan says."""
    hall_copy: HallBackup | None = None
    """A backup that will be put back."""
    recovering = False
    """Whether the backend stands on a restored copy, and waits for what tills send again."""

    def __init__(self, plan: Plan, watchers: Sequence[Watcher] = ()) -> None:
        self.plan = plan
        self.seed = plan.seed
        self.watchers = watchers
        self.time = TownTime(plan.start_ms)
        self.randomness = SeededRandomness(f"{plan.seed}:setup")
        self.truth = Truth()
        self._declare()
        self.shops = {shop.key: shop for shop in plan.shops}
        self.hall = Hall(DeviceClock(self.time, "hall"), self.randomness)
        self.founding = Founding(self.hall)
        self.official = Official(self.hall, self.truth, self.founding.programmes)
        self.operator = Operator(self.hall)
        self.accountant = Accountant(self.hall, self.founding)
        self.desk_work = DeskWork(self.hall, self.truth)
        self.bank = Bank(self.hall, self.truth)
        self.founding.open_books(plan)
        self.tills: list[Register] = []
        """Every till and desk ever enrolled; the list only grows."""
        self.disk_copies: dict[tuple[str, int], DiskCopy] = {}
        self.desk = self.enrol_till(DESK, 0)
        places = [(shop.key, till) for shop in plan.shops for till in range(shop.tills)]
        self.registers = {place: self.enrol_till(*place) for place in places}
        """The tills of the shops, as they are now."""
        self.citizens = {
            person.key: Citizen.born(number, person, plan.seed, self.randomness)
            for number, person in enumerate(plan.people)
        }
        self.cards: list[VirtualCard] = [citizen.card for citizen in self.citizens.values()]
        """Every card ever made; the list only grows."""
        self.holders: dict[PurseId, Citizen] = {}
        """Who has which purse."""
        self.cashier = Cashier(self)

    def _declare(self) -> None:
        """What the checks cannot know: who lives here, and what accidents may well bring about."""
        for person in self.plan.people:
            self.declared.names |= {person.holder.surname, person.holder.codice_fiscale}
        if self.plan.accidents:  # a proof that was torn off waits for a card that may never come
            self.declared.expect("CASE_OVERDUE")
            self.declared.expect("INTENT_OPEN_LONG")

    def play(self) -> None:
        """Everything that the plan holds, then the watchers' last look."""
        for happening in self.plan.happenings:
            self.step(happening)
        self.end()

    def step(self, happening: Happening) -> None:
        """One happening, and what the watchers say."""
        self.time.move_to(happening.at_ms)
        self.randomness.begin(happening.seed)
        self.happening = happening
        for register in self.tills:
            if register.line.held:
                register.line.deliver_held(self.time.now_ms)
        self._act(happening)
        self.look(happening)

    def _act(self, happening: Happening) -> None:
        """What it does; where the backend dies under people's hands, they do it again."""
        act = DEEDS[happening.kind]
        if happening.kind not in BY_PEOPLE:
            act(self, happening)
            return
        try:
            with under_people(self, happening):
                act(self, happening)
        except Killed:
            act(self, happening)

    def look(self, happening: Happening) -> None:
        """What the watchers say now: also between two loads of one visit."""
        for watcher in self.watchers:
            watcher.after(self, happening)

    def end(self) -> None:
        """The watchers' last look."""
        for watcher in self.watchers:
            watcher.at_end(self)

    def online(self, shop: str) -> bool:
        """Whether a shop's line is up now; the town hall's own always is."""
        if self.lines_up or shop not in self.shops:
            return True
        return self.shops[shop].online(self.time.now_ms)

    # what the checks ask for: see ``checks.evidence`` --------------------------------------------

    @property
    def engine(self) -> Engine:
        """The backend's database."""
        return self.hall.engine

    @property
    def declared(self) -> Declared:
        """What the world knows and the books cannot."""
        return self.truth.declared

    def masters(self, issuer: bytes, key_set: int) -> IssuerMasters:
        """The masters of a key set, to read cards with."""
        return self.hall.backend.keys.masters(issuer, key_set)

    # ------------------------------------------------------------------------------------------

    def register(self, place: tuple[str, int]) -> Register:
        """The till at a place, or the desk."""
        return self.desk if place == (DESK, 0) else self.registers[place]

    def station(self, happening: Happening) -> Register | None:
        """Where a card session can be held: the till of the happening if online, else the desk."""
        if not happening.shop:
            return self.desk
        register = self.registers[happening.place]
        register.online = self.online(happening.shop)
        return register if register.online and register.till is not None else None

    def new_till(self, place: tuple[str, int]) -> Register:
        """A till in the place of one that is gone; what that had not sent never comes."""
        old = self.registers[place]
        old.stop()
        old.gone = True
        self.declared.terminal_lost(old.terminal)
        self.operator.record_loss(old.terminal, f"verbale {old.terminal}")
        self.registers[place] = self.enrol_till(*place)
        return self.registers[place]

    def person_of(self, purse: PurseId) -> str:
        """Key of the holder; empty for a purse that nobody here has."""
        holder = self.holders.get(purse)
        return holder.person.key if holder else ""

    def close(self) -> None:
        """Gives files and databases back. May be called twice."""
        for register in self.tills:
            register.close()
        self.hall.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def enrol_till(self, shop: str, till: int) -> Register:
        """A till of a merchant that the official knows; what it says is looked at from now on."""
        register = Register(shop, till, self.time, self.randomness, self.hall)
        register.enrol(self.founding)
        self.tills.append(register)
        return register
