"""An intent as the chip reads it: from the very bytes that it signs.

It takes what the rule needs and leaves the rest to the till and the backend: the plan
(35), the lines (36), the card (32, 33), the voided sale (40) and the header's terminal,
seq and module class.
"""

from dataclasses import dataclass
from hashlib import sha256

from cardlib.codec.module_card import ModuleStatus
from cardlib.codec.purse import (
    INFO_CORE_SIZE,
    SPEND_RECORD_SIZE,
    Spend,
    SpendType,
)
from simulator.module_card import cbor
from simulator.module_card.refusals import Malformed, refuse_unless

U24_MAX = 0xFFFFFF
VERSION, INTENT = 1, 1
MODULE_CLASS_CARD = 2
_FREE = 0xFFFFFFFFFFFFFFFF


@dataclass(frozen=True, slots=True)
class Intent:
    """What the terminal is about to do to one card; ``hash`` of the complete entry."""

    hash: bytes
    info_core: bytes
    newest_record: bytes
    plan: Spend
    lines: tuple[tuple[int, int], ...]
    """Slot and cents, cents above zero; a void's are positive too."""
    voided: int | None

    @property
    def cents(self) -> int:
        """What the quota counts. A void counts too: nothing tells the chip what its sale took,
        and a purse of files believes what it is written (PROTOCOL 8, re-opened value)."""
        return sum(cents for _, cents in self.lines)


def entry_fields(payload: bytes, terminal: int) -> dict[int, cbor.Item]:
    """The map of an entry that this module may sign: its terminal's, and class *card*."""
    fields = cbor.load_map(payload)
    own = (fields.get(1), fields.get(3), fields.get(14)) == (VERSION, terminal, MODULE_CLASS_CARD)
    refuse_unless(own, ModuleStatus.WRONG_DATA)
    return fields


def is_intent(fields: dict[int, cbor.Item]) -> bool:
    """Whether an entry is one."""
    return fields.get(2) == INTENT


def intent_of(fields: dict[int, cbor.Item], entry_hash: bytes) -> Intent:
    """Reads an intent; Malformed when a field that the rule needs is missing or wrong."""
    try:
        return _read(fields, entry_hash)
    except KeyError:
        raise Malformed from None


def check_follows(intent: Intent, newest: Spend, terminal: int) -> None:
    """PLAN_WRONG unless the planned record directly follows ``newest``, the verified one.

    Counter one more, chained to it, totals moved by exactly the lines; a void only on top
    of this terminal's own sale, the one it names.
    """
    plan, sign = intent.plan, -1 if intent.voided is not None else 1
    totals = list(newest.spent)
    for slot, cents in intent.lines:
        totals[slot - 1] += sign * cents
    chained = plan.prev == sha256(intent.newest_record).digest()[:4]
    own_sale = (SpendType.SALE, terminal, intent.voided)
    may_void = intent.voided is None or (newest.type, newest.terminal, newest.seq) == own_sale
    follows = plan.ctr == newest.ctr + 1 and chained and list(plan.spent) == totals and may_void
    refuse_unless(follows, ModuleStatus.PLAN_WRONG)


def _read(fields: dict[int, cbor.Item], entry_hash: bytes) -> Intent:
    refuse_unless(is_intent(fields), ModuleStatus.WRONG_DATA)
    lines = tuple(_line(item) for item in cbor.array(fields[36]))
    voided = cbor.number(cbor.array(fields[40], 1)[0], U24_MAX) if 40 in fields else None
    plan = _plan(fields, entry_hash)
    if (plan.type is SpendType.VOID) != (voided is not None) or not lines:
        raise Malformed
    return Intent(
        entry_hash, cbor.octets(fields[32], INFO_CORE_SIZE),
        cbor.octets(fields[33], SPEND_RECORD_SIZE), plan, lines, voided,
    )  # fmt: skip


def _plan(fields: dict[int, cbor.Item], entry_hash: bytes) -> Spend:
    ctr, totals, time, day_spent, prev, kind = cbor.array(fields[35], 6)
    one, two, three, four, five, six = (
        cbor.number(item, U24_MAX) for item in cbor.array(totals, 6)
    )
    number = cbor.number(kind, SpendType.VOID)
    if number == SpendType.INIT:
        raise Malformed
    return Spend(
        SpendType(number), cbor.number(ctr, U24_MAX), entry_hash[:8],
        (one, two, three, four, five, six), cbor.number(fields[3], U24_MAX),
        cbor.number(fields[4], U24_MAX), cbor.number(time, 0xFFFFFFFF),
        cbor.number(day_spent, 0xFFFF), cbor.octets(prev, 4),
    )  # fmt: skip


def _line(item: cbor.Item) -> tuple[int, int]:
    slot, _grant_seq, _category, cents = (cbor.number(part, _FREE) for part in cbor.array(item, 4))
    if not 1 <= slot <= 6 or not 0 < cents <= U24_MAX:
        raise Malformed
    return slot, cents
