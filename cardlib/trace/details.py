"""What is known of one exchange beyond its name: facts with a key of the catalogue each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cardlib.trace.exchange import Exchange
from cardlib.wire.money import Money

Fact = str | int | Money


_STRANGE = ("no_answer", "record_bad", "record_torn", "status", "status_other")


class Mac(StrEnum):
    """What became of a MAC."""

    GOOD = "mac_good"
    BAD = "mac_bad"
    UNKNOWN = "mac_unknown"
    """The key or the random is not known here."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One fact: ``key`` of the catalogue's table ``trace``, and the values it names."""

    key: str
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decoded:
    """An exchange and what it means, in the order in which it is told."""

    exchange: Exchange
    details: tuple[Detail, ...]

    def detail(self, key: str) -> Mapping[str, Fact] | None:
        """The facts of the first detail with this key, or None."""
        return next((item.facts for item in self.details if item.key == key), None)

    @property
    def strange(self) -> bool:
        """Whether somebody should look: a bad MAC, no answer, a refusal, a torn record."""
        return any(
            item.key in _STRANGE or item.facts.get("mac") is Mac.BAD for item in self.details
        )

    def as_object(self) -> dict[str, object]:
        """For JSON: ``{"name": …, "details": [{"key": …, facts …}]}``; money in cents."""
        details = [{"key": item.key, **_plain(item.facts)} for item in self.details]
        return {"name": self.exchange.name, "details": details}


def _plain(facts: Mapping[str, Fact]) -> dict[str, str | int]:
    return {name: fact.cents if isinstance(fact, Money) else fact for name, fact in facts.items()}
