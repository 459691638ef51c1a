"""PROTOCOL 8, row 6: a PIN was seen at a hostile keyboard, and the card is stolen afterwards.

The thief goes to every till that he finds open. The holder reports the loss a while later; a
till that has synchronised since then refuses the card.
"""

from collections import Counter

from cardlib.calendar import day_at
from simulator.town.actors.citizen import Citizen
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.till_attack import Scene, TillAttack, groceries
from simulator.town.plan.calendar import DAY_LIMIT
from simulator.town.plan.model import Happening, Kind
from simulator.town.state import Town

REFUSED = "PURSE_HOTLISTED"
_AT_ONCE = 15_00
_LAG_MS = 300_000
"""A bundle may be so old (ADR 21)."""
_REPORTS_AFTER = 20
"""Happenings until the holder has noticed and said so."""


class StolenWithPin(TillAttack):
    """The card itself, and its PIN."""

    name = "stolen with its pin"
    expectation = Expectation(
        source="PROTOCOL 8, row 6", claim=Claim.BOUNDED,
        bound="the balance, and the day limit for each day until tills have the hotlist",
        seen_by="PURSE_HOTLISTED at each till that has synchronised since the report",
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
        self._balance = 0

    def follow(self, town: Town, happening: Happening) -> None:
        """The report, and which tills have heard of it."""
        if self._victim is None:
            return
        self._age += 1
        if self._age == _REPORTS_AFTER:
            assert self._victim.purse is not None
            town.hall.backend.cards.block(self._victim.purse, "CARD_STOLEN", by="anna.loader")
            self._blocked_ms = town.time.now_ms
        if happening.kind is Kind.SYNC and happening.place in town.registers:
            register = town.registers[happening.place]
            report = register.last_report
            if report is not None and not report.problem:
                self._synchronised[register.terminal] = town.time.now_ms

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
            self._balance = groceries(OpenedCard(town, scene.citizen))
        knows = self._knows(scene)
        wanted = min(groceries(OpenedCard(town, self._victim)), _AT_ONCE)
        goods = self.buy(scene, self._victim.line(), wanted)
        day = day_at(town.time.now_s).toordinal()
        self._by_day[day] += goods
        self.tally.gain += goods
        self.tally.bound = min(self._balance, DAY_LIMIT * len(self._by_day))
        if knows and goods:
            self.tally.overdue.append(f"goods at {scene.happening.id}")
        if knows and not goods:
            self.tally.seen.setdefault(REFUSED, scene.happening.id)
        if self._by_day[day] > DAY_LIMIT:
            self.tally.overdue.append(f"{self._by_day[day]} cents in a day")

    def _knows(self, scene: Scene) -> bool:
        """Whether this till must have the hotlist with the card on it."""
        last = self._synchronised.get(scene.register.terminal, 0)
        return bool(self._blocked_ms) and last > self._blocked_ms + _LAG_MS
