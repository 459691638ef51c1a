"""Derived state: what the entries so far add up to, kept in the same transaction.

An intent is *open* until an entry closes it: sale, recovered, void or
not_applied. ``unresolved`` parks it: it blocks its purse, no longer the till.
"""

from enum import StrEnum

import apsw

from cardlib.codec.purse import Info
from cardlib.keys.intent_rule import record_hash
from cardlib.wire.batch_close import BatchClose
from cardlib.wire.entry import Entry
from cardlib.wire.entry_body import Committed, GrantSeen, Intent, NotApplied, Unresolved
from cardlib.wire.ids import PurseId, Seq
from terminal.errors import JournalError, UnsettledError


class IntentState(StrEnum):
    """What became of an intent, as far as this journal knows."""

    OPEN = "open"
    """Nobody knows whether the card was debited."""
    UNRESOLVED = "unresolved"
    """As open, but parked: this purse waits, other customers do not."""
    COMMITTED = "committed"
    """The card was debited; goods were due."""
    NOT_APPLIED = "not_applied"
    """The card was not debited."""


UNSETTLED = (IntentState.OPEN, IntentState.UNRESOLVED)


def apply(db: apsw.Connection, entry: Entry, purse: PurseId | None) -> int | None:
    """Brings the tables up to ``entry``; the intent it belongs to.

    UnsettledError for a second open intent; JournalError ``INTENT_CLOSED`` when the
    intent that ``entry`` closes is not open: what happened once is written once.
    """
    match entry.body:
        case Intent() as intent:
            _open(db, entry.header.seq, intent)
            return entry.header.seq
        case Committed() as committed:
            _commit(db, committed)
        case NotApplied(intent_seq=seq):
            _move(db, seq, UNSETTLED, IntentState.NOT_APPLIED)
        case Unresolved(intent_seq=seq):
            _move(db, seq, (IntentState.OPEN,), IntentState.UNRESOLVED)
        case GrantSeen(grant=grant) if purse is not None:
            number = int.from_bytes(grant[1:4], "big")
            seen = (str(purse), number, entry.header.seq)
            db.execute("INSERT OR IGNORE INTO grants_seen VALUES (?, ?, ?)", seen)
        case BatchClose():
            _close_batch(db)
            return None
        case _:
            return None
    return getattr(entry.body, "intent_seq", None)


def purse_of(intent: Intent) -> PurseId:
    """The purse that an intent is about."""
    info = Info.from_core(intent.info_core)
    return PurseId(info.issuer, info.purse)


def _close_batch(db: apsw.Connection) -> None:
    """The next entry begins a new batch; JournalError ``CLOSE_INTENT_OPEN``."""
    open_seq = db.execute("SELECT min(seq) FROM intents WHERE state = 'open'").get
    if open_seq is not None:
        raise JournalError("CLOSE_INTENT_OPEN", seq=open_seq)
    db.execute("UPDATE counters SET batch = batch + 1")


def _open(db: apsw.Connection, seq: Seq, intent: Intent) -> None:
    other = db.execute("SELECT min(seq) FROM intents WHERE state = 'open'").get
    if other is not None:
        raise UnsettledError("INTENT_OPEN", seq=other)
    db.execute(
        "INSERT INTO intents VALUES (?, ?, ?, ?, ?)",
        (seq, str(purse_of(intent)), intent.plan.ctr, intent.voided, IntentState.OPEN.value),
    )


def _commit(db: apsw.Connection, committed: Committed) -> None:
    _move(db, committed.intent_seq, UNSETTLED, IntentState.COMMITTED)
    purse, ctr = db.execute(
        "SELECT purse, ctr FROM intents WHERE seq = ?", (committed.intent_seq,)
    ).fetchall()[0]
    db.execute(
        "INSERT INTO purses VALUES (?, ?, ?) ON CONFLICT (purse) DO UPDATE"
        " SET ctr = excluded.ctr, record_hash = excluded.record_hash"
        " WHERE excluded.ctr > purses.ctr",
        (purse, ctr, record_hash(committed.record)),
    )
    db.execute("UPDATE counters SET receipt = max(receipt, ?)", (committed.receipt,))


def _move(
    db: apsw.Connection, seq: Seq, from_states: tuple[IntentState, ...], to: IntentState
) -> None:
    state = db.execute("SELECT state FROM intents WHERE seq = ?", (seq,)).get
    if state not in from_states:
        raise JournalError("INTENT_CLOSED", seq=seq)
    db.execute("UPDATE intents SET state = ? WHERE seq = ?", (to.value, seq))
