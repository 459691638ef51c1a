"""What a signed intent may write: the record that follows from it, and nothing else."""

from hashlib import sha256

from cardlib.codec.purse import Spend, SpendType, Totals
from cardlib.errors import AuthenticityError
from cardlib.wire.entry import INTENT_HASH_SIZE, Entry
from cardlib.wire.entry_body import Intent, Line

PREV_SIZE = 4
_INTENT_HASH_AT = 4
"""After type and counter."""


def record_hash(record: bytes) -> bytes:
    """SHA-256 of a record at rest; its first four bytes are the next record's ``prev``."""
    return sha256(record).digest()


def intent_hash_in(record: bytes) -> bytes:
    """The first 8 bytes of the hash of the intent that a record names, in clear (PROTOCOL 2)."""
    return record[_INTENT_HASH_AT : _INTENT_HASH_AT + INTENT_HASH_SIZE]


def planned_spend(entry: Entry, intent: Intent) -> Spend:
    """The record that ``intent`` writes: its plan, the terminal, seq and intent hash."""
    plan = intent.plan
    return Spend(
        type=plan.type,
        ctr=plan.ctr,
        intent_hash=entry.hash[:INTENT_HASH_SIZE],
        spent=plan.totals,
        terminal=entry.header.terminal,
        seq=entry.header.seq,
        time=plan.time,
        day_spent=plan.day_spent,
        prev=plan.prev,
    )


def totals_after(before: Totals, lines: tuple[Line, ...], kind: SpendType) -> list[int]:
    """Cumulative cents per slot after ``lines``; a void takes back."""
    sign = -1 if kind == SpendType.VOID else 1
    after = list(before)
    for line in lines:
        after[line.slot - 1] += sign * line.cents
    return after


def check_follows(intent: Intent, spend: Spend, newest: Spend, newest_record: bytes) -> None:
    """AuthenticityError unless the planned record directly follows the verified one."""
    follows = (
        spend.ctr == newest.ctr + 1
        and spend.prev == record_hash(newest_record)[:PREV_SIZE]
        and list(spend.spent) == totals_after(newest.spent, intent.lines, spend.type)
    )
    if not follows:
        raise AuthenticityError("MODULE_PLAN_WRONG")
