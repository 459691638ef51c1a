"""The sum of a campaign: sales, faults, alarms, breaches, and the ways that were gone."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from simulator.town.campaign.playing import Measure, Played
from simulator.town.reached import Reached

SOLD = Fraction(20, 23)
"""Of the purchases that are planned, so many at least must end with goods."""
STRUCK = Fraction(5, 6)
"""Of the share of faults that was asked for, so much at least must strike, by sale."""


@dataclass(slots=True)
class Summary:
    """Adds up what was played. ``wanted_sales`` and ``wanted_faults``: fewer prove nothing."""

    seeds: int = 0
    sales: int = 0
    cents: int = 0
    seconds: float = 0.0
    wanted_sales: int = 0
    wanted_faults: int = 0
    alarms_explained: int = 0
    alarms_false: int = 0
    alarms_missed: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    reached: Reached = field(default_factory=Reached)
    failures: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, results: Iterable[Played], measure: Measure | None = None) -> "Summary":
        """All of them, in the order of their seeds; ``measure`` is what each was to be."""
        summary = cls()
        for played in sorted(results, key=lambda item: item.seed):
            summary.add(played)
        if measure is not None:
            sales = SOLD * measure.sales * summary.seeds
            summary.wanted_sales = int(sales)
            summary.wanted_faults = int(sales * STRUCK * Fraction(str(measure.faults)))
        return summary

    def add(self, played: Played) -> None:
        """One more seed."""
        self.seeds += 1
        self.sales += played.sales
        self.cents += played.cents
        self.seconds += played.seconds
        self.alarms_explained += played.alarms_explained
        self.alarms_false += played.alarms_false
        self.alarms_missed += played.alarms_missed
        self.faults.update(played.faults)
        self.reached.add(Reached.from_json(played.reached))
        if played.failure is not None:
            told = {"seed": played.seed, "command": played.command}
            self.failures.append(told | played.failure)

    @property
    def is_enough(self) -> bool:
        """Whether as much was sold, and as many faults struck, as the campaign is to show."""
        return self.sales >= self.wanted_sales and self.faults.total() >= self.wanted_faults

    @property
    def holds(self) -> bool:
        """Whether no law was broken, no alarm was false or missed, and enough was played."""
        alarmed = self.alarms_false or self.alarms_missed
        return self.is_enough and not self.failures and not alarmed

    @property
    def cents_astray(self) -> int:
        """Cents of all breaches together."""
        return sum(abs(int(failure.get("cents", 0))) for failure in self.failures)

    def as_json(self) -> dict[str, Any]:
        """One object."""
        return {
            "holds": self.holds,
            "seeds": self.seeds,
            "sales": self.sales,
            "sales_wanted": self.wanted_sales,
            "faults": self.faults.total(),
            "faults_wanted": self.wanted_faults,
            "faults_by_kind": dict(sorted(self.faults.items())),
            "cents_delivered": self.cents,
            "cents_astray": self.cents_astray,
            "alarms": {
                "explained": self.alarms_explained,
                "false": self.alarms_false,
                "missed": self.alarms_missed,
            },
            "cpu_seconds": round(self.seconds, 1),
            "unreached": self.reached.unreached(),
            "reached": self.reached.as_json(),
            "failures": self.failures,
        }
