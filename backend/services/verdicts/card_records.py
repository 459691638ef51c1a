"""What is learnt of a purse's records: claims by entries, attested reads."""

from collections.abc import Iterable

from backend.adapters.tables.cards import PurseRow
from backend.adapters.tables.verdicts import AttestationRow, CardRecordRow
from backend.adapters.unit_of_work import Unit
from cardlib.codec.purse import Spend
from cardlib.dialogues.attested import AttestedSpend
from cardlib.keys.intent_rule import record_hash
from cardlib.wire.entry_body import AttestedRead


def learn_record(
    unit: Unit, purse: PurseRow, record: bytes, spend: Spend, now: int
) -> CardRecordRow:
    """The stored record, added when it is new. ``spend`` is its clear content."""
    digest = record_hash(record)
    row = unit.verdicts.record(purse.id, spend.ctr, digest)
    if row is None:
        row = CardRecordRow(
            purse_id=purse.id, ctr=spend.ctr, record_hash=digest, record=record,
            clear=bytes(spend), attested=False, proven=False, live=False, first_seen=now,
        )  # fmt: skip
        unit.keep(row)
    return row


def learn_attested(
    unit: Unit, purse: PurseRow, read: AttestedRead, spend: Spend, source: str, ref: str, now: int
) -> CardRecordRow:
    """Stores an attested read whose tc **the caller has checked**, and marks its record.

    ``source``: ``sale_entry``, ``proof_entry`` or ``card_session``; ``ref``: ``terminal:seq``
    or the session's id. The same read again changes nothing. The caller judges the purse.
    """
    row = learn_record(unit, purse, read.record, spend, now)
    if not row.attested:
        row.attested = True
    if unit.verdicts.attestation(source, ref, row.record_hash) is None:
        assert read.tc is not None
        unit.keep(
            AttestationRow(
                purse_id=purse.id, ctr=spend.ctr, record_hash=row.record_hash,
                record=read.record, index=read.index, random=read.random, tc=read.tc,
                source=source, source_ref=ref, at=now,
            )
        )  # fmt: skip
    return row


def learn_from_session(
    unit: Unit, purse: PurseRow, reads: Iterable[AttestedSpend], session: str, now: int
) -> int:
    """As above for all that a card attested in a session; what is no record is left out.

    The lowest counter of what nobody had attested before, else the one above the card mark.
    """
    known = [(item.read, item.spend) for item in reads if item.spend is not None]
    unit.verdicts.fetch_records((purse.id, spend.ctr) for _, spend in known)
    unit.verdicts.fetch_attestations("card_session", session)
    lowest = purse.card_mark + 1
    for read, spend in known:
        before = unit.verdicts.record(purse.id, spend.ctr, record_hash(read.record))
        if before is None or not before.attested:
            lowest = min(lowest, spend.ctr)
        learn_attested(unit, purse, read, spend, "card_session", session, now)
    return lowest
