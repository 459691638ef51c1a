"""In which mood people come to the till: most wait, some go at the worst moment."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from simulator.town.plan.model import Happening, Kind, Mood, Person
from simulator.town.randomness import sub_seed

_AT_ANY_TIME = (
    (Mood.CHANGES_MIND, 1),
    (Mood.SECOND_THOUGHTS, 1),
    (Mood.SLOW, 1),
    (Mood.HURRIED, 20),
    (Mood.ANNOYED, 8),
    (Mood.MIXED_UP, 8),
    (Mood.PATIENT, 61),
)
"""Of a hundred; the last four differ only when something goes wrong."""


def with_moods(
    seed: int, happenings: Iterable[Happening], people: Sequence[Person]
) -> Iterator[Happening]:
    """The same happenings; who buys has a mood, and somebody stands behind."""
    moods, weights = zip(*_AT_ANY_TIME, strict=True)
    for item in happenings:
        if item.kind is not Kind.BUY:
            yield item
            continue
        rng = random.Random(sub_seed(seed, item.id, "mood"))
        (mood,) = rng.choices(moods, weights)
        other = rng.choice(people).key
        yield replace(item, mood=mood, other=other)
