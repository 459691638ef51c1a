"""Records that only their successors tell of: the card's ring lost them before anybody proved them.

A till that went down with its outcome unknown has announced a record and told no more of it.
When the next till wrote over exactly that record, its signed entry holds it (PROTOCOL 4, key
33): then the record is known, and its neighbours decide what it is worth (PROTOCOL 5).
"""

from collections.abc import Mapping

from backend.adapters.tables.cards import PurseRow
from backend.adapters.tables.journals import IntentRow
from backend.adapters.tables.verdicts import CardRecordRow
from backend.adapters.unit_of_work import Unit
from backend.domain.verdicts import PREV_SIZE
from backend.services.verdicts.purse_facts import KnownRecord, PurseFacts
from cardlib.keys.intent_rule import planned_spend, record_hash
from cardlib.wire.entry import Entry, decode_entry
from cardlib.wire.entry_body import Intent


def learn_announced(unit: Unit, purse: PurseRow, facts: PurseFacts, now: int) -> None:
    """Adds to ``facts`` what a known record was written over and a till announced."""
    known = {(record.row.ctr, digest[:PREV_SIZE]) for digest, record in facts.records.items()}
    above = list(facts.records.values())
    while above:
        gaps = [
            record
            for record in above
            if record.intent is not None
            and record.row.ctr - 1 > facts.base.ctr
            and (record.row.ctr - 1, record.spend.prev) not in known
        ]
        if not gaps:
            return
        announced = unit.journals.announced_on(purse.id, {gap.row.ctr - 1 for gap in gaps})
        found = (_below(unit, purse, gap, announced, now) for gap in gaps)
        # Two claims may have been written over the same record: it is one.
        above = list({below.row.record_hash: below for below in found if below}.values())
        for record in above:
            unit.add(record.row)
            facts.records[record.row.record_hash] = record


def _below(
    unit: Unit, purse: PurseRow, record: KnownRecord, announced: Mapping[int, list[IntentRow]],
    now: int,
) -> KnownRecord | None:  # fmt: skip
    """What ``record`` was written over, when a till announced just that."""
    ctr = record.row.ctr - 1
    if ctr not in announced or record.intent is None:
        return None
    _, above = _intent(unit, record.intent)
    digest = record_hash(above.newest_record)
    for intent in announced[ctr]:
        if intent.record_hash == digest:
            spend = planned_spend(*_intent(unit, intent))
            row = CardRecordRow(
                purse_id=purse.id, ctr=ctr, record_hash=digest, record=above.newest_record,
                clear=bytes(spend), attested=False, proven=False, live=False, first_seen=now,
            )  # fmt: skip
            lines = unit.journals.intent_lines(intent.terminal, intent.seq)
            terminal = unit.terminals.find(intent.terminal)
            return KnownRecord(row=row, spend=spend, terminal=terminal, intent=intent, lines=lines)
    return None


def _intent(unit: Unit, intent: IntentRow) -> tuple[Entry, Intent]:
    stored = unit.journals.entry(intent.terminal, intent.seq)
    assert stored is not None
    entry = decode_entry(stored.complete)
    assert isinstance(entry.body, Intent)
    return entry, entry.body
