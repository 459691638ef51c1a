"""The sampled review of a settlement batch, and who has to approve it (DESIGN 7). Pure.

A municipality sets *bands*: from which amount on, how much of a batch is looked at and how
many people approve it. The sample follows from a seed that is drawn once, when the review
begins, and is kept: whoever has the seed draws the same lines again.

``rank(n) = SHA-256(seed ‖ n as 4 bytes, big endian)``, n the place of a line among those that
the batch pays, from 0. The sample are the lines of the lowest ranks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from backend.errors import BadInputError

SEED_SIZE = 16
PERMILLE_MAX = 1000
APPROVALS_MAX = 3


@dataclass(frozen=True, slots=True)
class Rule:
    """What a batch of ``from_cents`` or more needs; ``sample_permille`` of its lines, at least one.

    0 asks for no review.
    """

    from_cents: int = 0
    sample_permille: int = 0
    approvals: int = 1

    def __post_init__(self) -> None:
        """BadInputError ``BAND_BAD``."""
        if (
            self.from_cents < 0
            or not 0 <= self.sample_permille <= PERMILLE_MAX
            or not 1 <= self.approvals <= APPROVALS_MAX
        ):
            raise BadInputError("BAND_BAD", most=APPROVALS_MAX)


def rule_for(cents: int, rules: Iterable[Rule]) -> Rule:
    """The rule of the highest band that ``cents`` reaches; of several of one band, the last."""
    found = Rule()
    for rule in rules:
        if found.from_cents <= rule.from_cents <= cents:
            found = rule
    return found


def sample(seed: bytes, size: int, permille: int) -> frozenset[int]:
    """Places, from 0, of the lines to be looked at: ``permille`` of ``size``, rounded up."""
    wanted = -(-size * permille // PERMILLE_MAX)
    ranked = sorted(range(size), key=lambda place: sha256(seed + place.to_bytes(4, "big")).digest())
    return frozenset(ranked[:wanted])
