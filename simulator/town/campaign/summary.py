"""The sum of a campaign: sales, faults, alarms, breaches, and the ways that were gone."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from simulator.town.campaign.playing import Played
from simulator.town.reached import Reached


@dataclass(slots=True)
class Summary:
    """Adds up what was played."""

    seeds: int = 0
    sales: int = 0
    cents: int = 0
    seconds: float = 0.0
    alarms_explained: int = 0
    alarms_false: int = 0
    alarms_missed: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    reached: Reached = field(default_factory=Reached)
    failures: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, results: Iterable[Played]) -> "Summary":
        """All of them, in the order of their seeds."""
        summary = cls()
        for played in sorted(results, key=lambda item: item.seed):
            summary.add(played)
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
            self.failures.append({"seed": played.seed} | played.failure)

    @property
    def holds(self) -> bool:
        """Whether no law was broken, no alarm was false and none was missed."""
        return not self.failures and not self.alarms_false and not self.alarms_missed

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
            "faults": self.faults.total(),
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
