"""A chip that has two lives: a rolled-back image, and a clone (PROTOCOL 1, 6 and 8, row 2).

Neither can be had from a chip that keeps its secrets; here it does not. The holder buys at one
till, goes back to the state before, and buys at the tills that have not heard of it.
"""

from abc import abstractmethod
from dataclasses import dataclass, replace

from cardlib.codec.files import DF_BUONO_FIRST, DF_SERVICES
from cardlib.wire.ids import PurseId
from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.filesystem import Directory
from simulator.town.actors.citizen import Citizen
from simulator.town.actors.register import Register
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.granted import open_value
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.till_attack import (
    PRICE,
    Scene,
    TillAttack,
    groceries,
    other_registers,
    room_today,
)
from simulator.town.plan.model import Happening
from simulator.town.state import Town

CODE = "PURSE_FORKED"
BESIDES = "PREDECESSOR_FORGED"
"""May come too: a record of one branch names what lies below it in the other."""
AGAIN = 6
"""How often the older state is put back before one till: more than its grant would pay."""
_BOUND = "granted_total - base_spent in the books, for each till that has not synchronised since"


@dataclass(slots=True)
class _Fork:
    """What was bought with both states, and the journals that will tell of it."""

    purse: PurseId
    told_by: list[tuple[Register, int]]


class _SecondState(TillAttack):
    """Buys with the chip as it is, then with the chip as it was, as often as a till takes it.

    ``gain``: all goods of the older state; ``bound``: for each other till what the books grant.
    """

    tries = 2
    eagerness = 0.9

    def __init__(self) -> None:
        super().__init__()
        self._forks: list[_Fork] = []

    @abstractmethod
    def before(self, scene: Scene) -> Citizen:
        """Keeps the state of now; whoever buys with it later."""

    def strike(self, scene: Scene) -> None:
        """One purchase that counts, and one at every other till that has not heard of it."""
        citizen = scene.citizen
        assert citizen.purse is not None
        scene.town.declared.rogue_purse(citizen.purse)
        double = self.before(scene)
        fork = _Fork(citizen.purse, [])
        self._buy(scene, citizen, scene.register, fork)
        for register in other_registers(scene.town, scene.register):
            self.tally.bound += open_value(scene.town, citizen.purse)
            self.tally.gain += self._empty(scene, double, register, fork)
        self._back(double)
        if self._buy(scene, double, scene.register, fork, PRICE + 1):
            self.tally.overdue.append("a till took a state below its own high-water")
        if len(fork.told_by) > 1:
            for code in (CODE, BESIDES):
                scene.town.declared.expect(code, purse=fork.purse)
            self._forks.append(fork)

    def _empty(self, scene: Scene, double: Citizen, register: Register, fork: _Fork) -> int:
        """All that a till gives to the older state, put back again and again; cents."""
        sum_of_goods = 0
        for _ in range(AGAIN):
            self._back(double)
            card = OpenedCard(scene.town, double)
            wanted = min(groceries(card), room_today(card, scene.town))
            goods = self._buy(scene, double, register, fork, wanted)
            if not goods:
                break
            sum_of_goods += goods
        return sum_of_goods

    def _keep(self, double: Citizen) -> None:
        """The state of now, to go back to."""
        self._kept = [list(file.records) for file in _purse(double).files]

    def _back(self, double: Citizen) -> None:
        """Every file of the purse as it was."""
        for file, records in zip(_purse(double).files, self._kept, strict=True):
            file.records[:] = records

    def follow(self, town: Town, happening: Happening) -> None:
        """Once both tills have told of it, the alarm has to stand."""
        for fork in list(self._forks):
            if all(register.acknowledged() >= seq for register, seq in fork.told_by):
                self._forks.remove(fork)
                town.declared.must_have_come(CODE, purse=fork.purse)
                if stands(town, CODE, fork.purse):
                    self.tally.seen.setdefault(CODE, happening.id)
                else:
                    self.tally.overdue.append(f"{CODE} after {happening.id}")

    def sum_up(self, town: Town) -> None:
        """Nobody waits for a till at the end."""
        gone = {register.terminal for register in town.tills if register.gone}
        for fork in self._forks:
            if not {register.terminal for register, _ in fork.told_by} & gone:
                self.tally.overdue.append(f"{CODE}: a till never told of it")

    def _buy(
        self, scene: Scene, citizen: Citizen, register: Register, fork: _Fork, cents: int = PRICE
    ) -> int:  # fmt: skip
        goods = self.buy(scene, citizen.line(), cents, register=register, citizen=citizen)
        if goods:
            with register.journal() as journal:
                fork.told_by.append((register, int(journal.views.newest(1)[0].seq)))
        return goods


class RolledBackImage(_SecondState):
    """The chip's own memory is put back as it was."""

    name = "rolled-back image"
    expectation = Expectation(
        source="PROTOCOL 2 (watermark and high-water), 6, 8 row 2", claim=Claim.BOUNDED,
        bound=_BOUND, seen_by="at once by a till that wrote more itself; PURSE_FORKED when both"
        " tills have synchronised",
    )  # fmt: skip

    def before(self, scene: Scene) -> Citizen:
        """The holder himself; his files are copied."""
        self._keep(scene.citizen)
        return scene.citizen


class Clone(_SecondState):
    """Another chip with the same keys and the same content."""

    name = "clone"
    expectation = Expectation(
        source="PROTOCOL 6, 8 row 2", claim=Claim.BOUNDED,
        bound=_BOUND, seen_by="at once by a till that wrote more itself; PURSE_FORKED when both"
        " tills have synchronised",
    )  # fmt: skip

    def before(self, scene: Scene) -> Citizen:
        """Somebody with the other chip."""
        double = twin(scene)
        self._keep(double)
        return double


def twin(scene: Scene) -> Citizen:
    """A second chip that holds all that the scene's holds, in the hand of somebody like her."""
    memory = image.decode(image.encode(scene.citizen.card.memory))
    card = VirtualCard(memory, scene.town.randomness, without_image=True)
    return replace(scene.citizen, card=card, history=[])


def stands(town: Town, code: str, purse: PurseId) -> bool:
    """Whether an alarm about the purse has been raised."""
    query = (
        "SELECT count(*) FROM alarm a JOIN purse p ON p.id = a.purse_id"
        " WHERE a.code = ? AND p.number = ?"
    )
    with town.engine.connect() as books:
        return bool(books.exec_driver_sql(query, (code, purse.number)).scalar_one())


def _purse(citizen: Citizen) -> Directory:
    found = citizen.card.memory.find((DF_SERVICES, DF_BUONO_FIRST))
    assert found is not None
    return found
