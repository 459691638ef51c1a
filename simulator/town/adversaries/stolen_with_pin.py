"""PROTOCOL 8, row 6: a PIN was seen at a hostile keyboard, and the card is stolen afterwards.

The thief goes to every till that he finds open. The holder reports the loss a while later; a
till that has synchronised since then refuses the card.
"""

from collections import Counter

from cardlib.calendar import day_at
from simulator.town.actors.citizen import Citizen
from simulator.town.actors.register import Register
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.granted import had
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.till_attack import Scene, TillAttack, groceries
from simulator.town.plan.calendar import DAY_LIMIT
from simulator.town.plan.finale import FINALE
from simulator.town.plan.model import Happening, Kind
from simulator.town.state import Town

REFUSED = "PURSE_HOTLISTED"
_AT_ONCE = 60_00
"""Two such purchases are within the limit of a day, three are not."""
_LAG_MS = 300_000
"""A bundle may be so old (ADR 21)."""
_REPORTS_AFTER = 20
"""Happenings until the holder has noticed and said so; when the history ends, at the latest."""


class StolenWithPin(TillAttack):
    """The card itself, and its PIN."""

    name = "stolen with its pin"
    expectation = Expectation(
        source="PROTOCOL 8, row 6", claim=Claim.BOUNDED,
        bound="what was loaded and not spent, and the day limit for each day until every till has"
        " the hotlist",
        seen_by="PURSE_HOTLISTED at each till that has synchronised since the report",
        told_by=frozenset({REFUSED}),
    )  # fmt: skip
    tries = 30
    eagerness = 1.0

    def __init__(self) -> None:
        super().__init__()
        self._victim: Citizen | None = None
        self._age = 0
        self._blocked_ms = 0
        self._by_day: Counter[int] = Counter()
        self._synchronised: dict[int, int] = {}
        self._had = 0
        self._unknowing = set[int]()
        """Days on which some till had not heard of the report."""

    def follow(self, town: Town, happening: Happening) -> None:
        """The report, and which tills have heard of it."""
        if self._victim is None:
            return
        self._age += 1
        late = self._age >= _REPORTS_AFTER or happening.kind is Kind.LINES_UP
        if late and not self._blocked_ms:
            assert self._victim.purse is not None
            town.hall.backend.cards.block(self._victim.purse, "CARD_STOLEN", by="anna.loader")
            self._blocked_ms = town.time.now_ms
        if not all(self._knows(register) for register in town.registers.values()):
            self._unknowing.add(day_at(town.time.now_s).toordinal())
        if happening.kind is Kind.SYNC and happening.place in town.registers:
            register = town.registers[happening.place]
            report = register.last_report
            if report is not None and not report.problem:
                self._synchronised[register.terminal] = town.time.now_ms
            if happening.id.startswith(FINALE) and register.till is not None:
                self._go_to(Scene(town, register, self._victim, self.quiet(happening)))

    def _go_to(self, scene: Scene) -> None:
        """Tries it at a till of which he cannot know what it has heard."""
        if self._knows(scene.register):
            met = self.tally.refusals.get(REFUSED, 0)
            goods = self.buy(scene, scene.citizen.line())
            self.tally.gain += goods
            self._note(scene, goods, met)

    def scene(self, town: Town, happening: Happening) -> Scene | None:
        """First anybody's card; from then on that one, at any till where somebody buys."""
        scene = super().scene(town, happening)
        if scene is None or self._victim is None:
            return scene
        left = groceries(OpenedCard(town, self._victim))
        return Scene(town, scene.register, self._victim, scene.happening) if left else None

    def strike(self, scene: Scene) -> None:
        """Steals it, or buys as much as he dares."""
        town = scene.town
        if self._victim is None:
            self._victim = scene.citizen
            scene.citizen.lost = True
            assert scene.citizen.purse is not None
            self._had = had(town, scene.citizen.purse)
            self._unknowing.add(day_at(town.time.now_s).toordinal())
        wanted = min(groceries(OpenedCard(town, self._victim)), _AT_ONCE)
        met = self.tally.refusals.get(REFUSED, 0)
        goods = self.buy(scene, self._victim.line(), wanted)
        day = day_at(town.time.now_s).toordinal()
        self._by_day[day] += goods
        self.tally.gain += goods
        if self._by_day[day] > DAY_LIMIT:
            self.tally.overdue.append(f"{self._by_day[day]} cents in a day")
        self._note(scene, goods, met)

    def _note(self, scene: Scene, goods: int, met: int) -> None:
        """Whether a till that must have the hotlist has looked at it; ``met``: refusals before."""
        if not self._knows(scene.register):
            return
        if goods or self.tally.refusals.get(REFUSED, 0) == met:
            self.tally.overdue.append(f"goods for {goods} at {scene.happening.id}")
        else:
            self.tally.seen.setdefault(REFUSED, scene.happening.id.partition("+")[0])

    def sum_up(self, town: Town) -> None:  # noqa: ARG002
        """The holder's money, and the days that he had."""
        self.tally.bound = min(self._had, DAY_LIMIT * len(self._unknowing))

    def _knows(self, register: Register) -> bool:
        """Whether this till must have the hotlist with the card on it."""
        last = self._synchronised.get(register.terminal, 0)
        return bool(self._blocked_ms) and last > self._blocked_ms + _LAG_MS
