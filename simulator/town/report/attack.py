"""What came of an adversary, and whether it is what the threat model says."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulator.town.adversaries.adversary import Adversary, Claim, unseen
from simulator.town.state import Town


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """An adversary, and whether what came of it is what the threat model says."""

    name: str
    source: str
    claim: str
    attempts: int
    gain: int
    bound: int
    bound_words: str
    seen_by: str
    seen: Mapping[str, str]
    refusals: Mapping[str, int]
    overdue: tuple[str, ...]
    seen_ms: Mapping[str, int] = field(default_factory=dict)
    """When it was seen, by code; not where it was only at the very end."""

    @property
    def caught(self) -> bool:
        """Stopped or bounded as stated, and seen in time."""
        allowed = self.bound if self.claim == Claim.BOUNDED else 0
        return self.attempts > 0 and self.gain <= allowed and not self.overdue


def attack_of(adversary: Adversary, town: Town) -> Attack:
    """What came of an adversary, once the town has ended."""
    expected, tally = adversary.expectation, adversary.tally
    moments = {item.id: item.at_ms for item in town.plan.happenings}
    return Attack(
        name=adversary.name, source=expected.source, claim=expected.claim,
        attempts=tally.attempts, gain=tally.gain, bound=tally.bound,
        bound_words=expected.bound, seen_by=expected.seen_by, seen=dict(tally.seen),
        refusals=dict(tally.refusals), overdue=tuple(unseen(adversary)),
        seen_ms={code: moments[when] for code, when in tally.seen.items() if when in moments},
    )  # fmt: skip
