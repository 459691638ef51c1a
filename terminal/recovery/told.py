"""Outcomes that this till could not find out, and the backend did (PROTOCOL 5, ``unresolved``).

The signed bundle brings the proven record that stands in the intent's place. It says what the
card itself would have said, had its ring not lost it: ours, and the debit holds; another one,
and nothing was taken.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cardlib.wire.bundle import Decided
from cardlib.wire.entry import INTENT_HASH_SIZE, Entry
from cardlib.wire.entry_body import Committed, How, NotApplied, NotAppliedCode
from cardlib.wire.entry_header import EntryType
from cardlib.wire.ids import Seq
from terminal.journal.derived import UNSETTLED
from terminal.journal.journal import Journal
from terminal.outcome import NO_RANDOM

OBSERVERS: list[Callable[[str], None]] = []
"""Told the code of each outcome that is written, for those who count them."""
_HASH_AT = 4


@dataclass(frozen=True, slots=True)
class Told:
    """What was written about the intent ``seq``."""

    seq: Seq
    entry: Entry

    @property
    def code(self) -> str:
        """What a person is told: ``TOLD_COMMITTED`` or ``TOLD_NOT_APPLIED``."""
        committed = isinstance(self.entry.body, Committed)
        return "TOLD_COMMITTED" if committed else "TOLD_NOT_APPLIED"


def write_told(journal: Journal, decided: Decided) -> Told | None:
    """Closes the intent that ``decided`` is about; None when that is not open here (any more).

    JournalError when the entry cannot be written: the bundle says it again.
    """
    if journal.views.intent_state(decided.seq) not in UNSETTLED:
        return None
    intent = journal.views.entry(decided.seq).decode()
    short = intent.hash[:INTENT_HASH_SIZE]
    if short != decided.intent_hash:  # of a journal that this disk has lost
        return None
    if decided.record[_HASH_AT : _HASH_AT + INTENT_HASH_SIZE] != short:
        closing: Committed | NotApplied = NotApplied(
            intent_seq=decided.seq, code=NotAppliedCode.READ, newest_record=decided.record
        )
    else:
        closing = Committed(
            type=EntryType.RECOVERED, intent_seq=decided.seq, intent_hash=intent.hash,
            record=decided.record, random=NO_RANDOM, tc=None, index=1, how=How.RECOVERED,
            receipt=journal.views.receipt_number() + 1,
        )  # fmt: skip
    told = Told(decided.seq, journal.append(closing))
    for observer in OBSERVERS:
        observer(told.code)
    return told
