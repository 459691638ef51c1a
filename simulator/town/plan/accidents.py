"""What goes wrong: accidents put onto happenings, and bad days of whole devices."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace

from simulator.town.plan.model import Accident, AccidentKind, Happening, Kind
from simulator.town.randomness import sub_seed

BY_PEOPLE = (
    Kind.ORDER_LOAD, Kind.SETTLE, Kind.PAY, Kind.DESK_WORK, Kind.END_DAY, Kind.REPORT_LOSS,
    Kind.ANNOUNCE_KEYS, Kind.BEGIN_KEYS,
)  # fmt: skip
"""What people do in the backend itself; when it dies they look what was done, and go on."""
_CARD = (
    (AccidentKind.TEAR_BEFORE, 4),
    (AccidentKind.TEAR_AFTER, 6),
    (AccidentKind.HALF_WRITTEN, 3),
    (AccidentKind.MUTE, 2),
    (AccidentKind.CARD_RESET, 2),
)
_LINE = ((AccidentKind.LINE_FAULT, 5), (AccidentKind.KILL_BACKEND, 3))
_OF_KIND: dict[Kind, tuple[tuple[AccidentKind, int], ...]] = {
    Kind.BUY: (*_CARD, (AccidentKind.KILL_TILL, 5), (AccidentKind.DISK_FULL, 1)),
    Kind.VOID: (*_CARD, (AccidentKind.KILL_TILL, 5), (AccidentKind.DISK_FULL, 1)),
    **dict.fromkeys(
        (Kind.COLLECT, Kind.ISSUE_CARD, Kind.REPLACE_CARD, Kind.RENEW_CARD, Kind.RESET_PIN),
        (*_CARD, *_LINE, (AccidentKind.KILL_STATION, 3)),
    ),
    Kind.CLOSE_BATCH: ((AccidentKind.KILL_TILL, 4), (AccidentKind.DISK_FULL, 1)),
    **dict.fromkeys(BY_PEOPLE, ((AccidentKind.KILL_BACKEND, 1),)),
    Kind.SYNC: ((AccidentKind.KILL_AGENT, 4), (AccidentKind.DISK_FULL, 1), *_LINE),
}
"""Which accidents a happening can meet, and how often beside each other."""
_COMMANDS = {Kind.BUY: 16, Kind.VOID: 18, Kind.COLLECT: 20, Kind.ISSUE_CARD: 80,
             Kind.REPLACE_CARD: 80, Kind.RENEW_CARD: 100, Kind.RESET_PIN: 7,
             Kind.SYNC: 6}  # fmt: skip
"""Commands of its dialogue, about."""
_WRITES = {Kind.COLLECT: 3, Kind.ISSUE_CARD: 2, Kind.REPLACE_CARD: 2, Kind.RENEW_CARD: 15}
"""Writes to the chip in its dialogue, about; 1 for any other."""
_SALE_UPDATE = 9
"""The command of a sale that debits, on a file card with one wallet."""


def with_accidents(
    seed: int, happenings: Iterable[Happening], density: float
) -> Iterator[Happening]:
    """The same happenings; ``density`` of those that can go wrong do."""
    for item in happenings:
        rng = random.Random(sub_seed(seed, item.id, "accident"))
        kinds = _OF_KIND.get(item.kind)
        if density and item.kind is Kind.SETTLE:
            slip = Accident(f"{item.id}!{AccidentKind.SLIP}", AccidentKind.SLIP)
            item = replace(item, accidents=(slip,))  # noqa: PLW2901
        if kinds is None or rng.random() >= density:
            yield item
        else:
            yield replace(item, accidents=(*item.accidents, _accident(item, kinds, rng)))


def _accident(
    item: Happening, kinds: tuple[tuple[AccidentKind, int], ...], rng: random.Random
) -> Accident:
    (kind,) = rng.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])
    return Accident(f"{item.id}!{kind}", kind, _at(item, kind, rng), rng.randrange(1000))


def _at(item: Happening, kind: AccidentKind, rng: random.Random) -> int:
    match kind:
        case AccidentKind.TEAR_BEFORE | AccidentKind.TEAR_AFTER | AccidentKind.MUTE:
            if item.kind in (Kind.BUY, Kind.VOID) and rng.random() < 0.5:
                return _SALE_UPDATE + rng.choice((-1, 0, 0, 1))
            return rng.randrange(1, _COMMANDS[item.kind] + 1)
        case AccidentKind.CARD_RESET | AccidentKind.KILL_STATION:
            return rng.randrange(1, _COMMANDS[item.kind] + 1)
        case AccidentKind.KILL_TILL:
            return rng.randrange(1, 5)
        case AccidentKind.KILL_AGENT | AccidentKind.KILL_BACKEND | AccidentKind.LINE_FAULT:
            return rng.randrange(1, 5)
        case AccidentKind.HALF_WRITTEN:
            return rng.randrange(1, _WRITES.get(item.kind, 1) + 1)
        case _:
            return 1
