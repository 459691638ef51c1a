"""A town as it stands: the backend, tills, citizens and cards, and who acts on them.

What deeds, accidents, adversaries and reports act on:

- ``town.plan``, ``town.time`` (``TownTime``), ``town.randomness`` (begun anew by each
  happening), ``town.truth`` (``Truth``: goods handed over, orders, payments);
- ``town.hall``: the backend. ``hall.backend`` is ``backend.composition.Backend``;
- ``town.founding``, ``official``, ``operator``, ``accountant``, ``desk_work``, ``bank``: who acts;
- ``town.citizens``: by key; ``citizen.card`` is the ``VirtualCard`` in memory,
  ``citizen.line()`` a connection to it, ``citizen.purse`` and ``citizen.pin`` as known,
  ``citizen.history`` every SPEND record that its chip ever took, oldest first;
- ``town.registers``: tills by ``(shop, number)``, and ``town.desk``. ``register.till`` is
  the open ``Till`` or None, ``register.counter`` its ``Counter``, ``register.journal()`` a
  reader of its journal whether it sells or not.

``simulator.town.world.World`` plays a plan on it.
"""

from collections.abc import Callable

from sqlalchemy import Engine

from cardlib.keys.derivation import IssuerMasters
from cardlib.wire.ids import PurseId
from simulator.card.card import VirtualCard
from simulator.town.actors.accountant import Accountant
from simulator.town.actors.bank import Bank
from simulator.town.actors.citizen import Citizen
from simulator.town.actors.desk_work import DeskWork
from simulator.town.actors.founding import Founding
from simulator.town.actors.official import Official
from simulator.town.actors.operator import Operator
from simulator.town.actors.register import Register
from simulator.town.checks.declared import Declared
from simulator.town.clock import DeviceClock, TownTime
from simulator.town.disk import DiskCopy
from simulator.town.hall import Hall, HallBackup
from simulator.town.plan.finale import finale
from simulator.town.plan.model import DESK, Happening, Plan
from simulator.town.randomness import SeededRandomness
from simulator.town.truth import Truth


class Town:
    """What one plan is played on."""

    lines_up = False
    """Whether all lines are repaired, whatever the plan says."""
    newest: str = ""
    """What happened last, by its name in the plan."""
    hall_copy: HallBackup | None = None
    """A backup that will be put back."""
    recovering = False
    """Whether the backend stands on a restored copy, and waits for what tills send again."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.seed = plan.seed
        self.time = TownTime(plan.start_ms)
        self.randomness = SeededRandomness(f"{plan.seed}:setup")
        self.truth = Truth()
        self._declare()
        self.shops = {shop.key: shop for shop in plan.shops}
        self.hall_clock = DeviceClock(self.time, "hall")
        self.hall = Hall(self.hall_clock, self.randomness)
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
        self.pause: Callable[[Happening], None] = _go_on
        """Called between two parts of one happening: whoever watches looks then."""

    def _declare(self) -> None:
        """What the checks cannot know: who lives here."""
        for person in self.plan.people:
            self.declared.names |= {person.holder.surname, person.holder.codice_fiscale}

    def move_to(self, happening: Happening) -> None:
        """Its time has come: clock and chance are the happening's, held-back calls arrive."""
        self.newest = happening.id
        self.time.move_to(happening.at_ms)
        self.randomness.begin(happening.seed)
        for register in self.tills:
            if register.line.held:
                register.line.deliver_held(self.time.now_ms)

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
        """What the town knows and the books cannot."""
        return self.truth.declared

    @property
    def concluded(self) -> bool:
        """Whether the whole end of a history was in the plan, and has been played."""
        plan = self.plan
        ends = [one.id for one in finale(plan.seed, plan.end_ms, plan.shops, plan.people)]
        return self.newest == ends[-1] and {one.id for one in plan.happenings}.issuperset(ends)

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
        self.disk_copies.pop(place, None)
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

    def enrol_till(self, shop: str, till: int) -> Register:
        """A till of a merchant that the official knows; what it says is looked at from now on."""
        drift = self.shops[shop].drift(till) if shop in self.shops else 0
        register = Register(shop, till, self.time, self.randomness, self.hall, drift_ppm=drift)
        register.enrol(self.founding)
        self.tills.append(register)
        return register


def _go_on(_happening: Happening) -> None:
    """Nobody looks."""
