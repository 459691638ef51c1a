"""What an adversary says of itself, and what is judged at the end.

``STOPPED``: it gains nothing, and each attempt is told so by the codes that it names, or an alarm
or case of those that it names stands. ``BOUNDED``: it may gain, never more than its bound, and is
seen at the stated moment at the latest. Who does not even act proves nothing: ``attempts`` must
not be 0. Nor does who fails for another reason: an attempt that was not refused as stated is one
that was not seen.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol

from simulator.errors import TownError
from simulator.town.plan.model import Happening
from simulator.town.state import Town


class Claim(StrEnum):
    """What the threat model says of an attack."""

    STOPPED = "stopped"
    BOUNDED = "bounded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The threat model's word. ``source``: the clause; ``bound``, ``seen_by``: in plain words.

    ``refused_by``: codes and status words that every attempt must meet, all of them; where it
    does something else in each turn, one set a turn. ``told_by``: alarms and cases, one of which
    must have been raised. Who is stopped names at least one of the two.
    """

    source: str
    claim: Claim
    bound: str = "0"
    seen_by: str = ""
    refused_by: tuple[frozenset[str], ...] = ()
    told_by: frozenset[str] = frozenset()

    def refusals_due(self, turn: int) -> frozenset[str]:
        """What the attempt number ``turn``, counted from 0, must meet."""
        return self.refused_by[turn % len(self.refused_by)] if self.refused_by else frozenset()


@dataclass(slots=True)
class Tally:
    """What came of it. Money in cents.

    ``refusals``: codes and status words met; ``gain``: goods or money beyond what is due;
    ``bound``: how much the threat model grants for these attempts; ``seen``: alarms, cases or
    refusals that told of it, each with the happening at which it was seen; ``overdue``: what
    should have been seen by its stated moment and was not; ``unrefused``: attempts that did not
    meet the refusals which they should have.
    """

    attempts: int = 0
    gain: int = 0
    bound: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    overdue: list[str] = field(default_factory=list)
    unrefused: list[str] = field(default_factory=list)

    def refuse(self, code: str) -> None:
        """One more refusal."""
        self.refusals[code] = self.refusals.get(code, 0) + 1


class Adversary(Protocol):
    """A watcher that attacks."""

    name: ClassVar[str]
    expectation: ClassVar[Expectation]
    tally: Tally

    def after(self, town: Town, happening: Happening) -> None:
        """Acts when its moment has come; declares to ``town.declared`` what honest books
        cannot know (alarms that may or must come, terminals and purses that are rogue)."""
        ...

    def at_end(self, town: Town) -> None:
        """Completes ``tally`` from cards, ledger and payments."""
        ...


def judge(adversary: Adversary, seed: int) -> None:
    """TownError ``TOWN_ATTACK_*`` unless everything came as the threat model says."""
    tally, expected = adversary.tally, adversary.expectation
    if tally.attempts == 0:
        raise _breach("TOWN_ATTACK_IDLE", adversary, seed, 0)
    allowed = tally.bound if expected.claim is Claim.BOUNDED else 0
    if tally.gain > allowed:
        raise _breach("TOWN_ATTACK_GAINED", adversary, seed, tally.gain - allowed)
    if found := unseen(adversary):
        raise _breach("TOWN_ATTACK_UNSEEN", adversary, seed, 0, ", ".join(found))


def unseen(adversary: Adversary) -> list[str]:
    """What was not noticed as stated: overdue, refused for another reason, or told by nothing."""
    tally, wanted = adversary.tally, adversary.expectation.told_by
    found = [*tally.overdue, *tally.unrefused]
    if wanted and not wanted & tally.seen.keys():
        found.append(f"none of {', '.join(sorted(wanted))}")
    return found


def _breach(code: str, adversary: Adversary, seed: int, cents: int, what: str = "") -> TownError:
    return TownError(
        code, law=0, subject=adversary.name, what=what or adversary.expectation.bound,
        cents=cents, happening="end", seed=seed,
    )  # fmt: skip
