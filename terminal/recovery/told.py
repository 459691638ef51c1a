"""Outcomes that this till could not find out, and the backend did (PROTOCOL 5, ``unresolved``).

The signed bundle brings the proven record that stands in the intent's place. It says what the
card itself would have said, had its ring not lost it: ours, and the debit holds; another one,
and nothing was taken.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cardlib.keys.intent_rule import intent_hash_in
from cardlib.keys.module import SecurityModule
from cardlib.wire.bundle import Decided
from cardlib.wire.entry import INTENT_HASH_SIZE, Entry
from cardlib.wire.entry_body import Committed, How, NotApplied, NotAppliedCode
from cardlib.wire.entry_header import EntryType
from cardlib.wire.ids import Seq
from terminal.journal.derived import UNSETTLED
from terminal.journal.journal import Journal
from terminal.outcome import NO_RANDOM, PendingDebit

OBSERVERS: list[Callable[[str], None]] = []
"""Told the code of each outcome that is written, for those who count them."""


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


def write_told(journal: Journal, module: SecurityModule, decided: Decided) -> Told | None:
    """Closes the intent that ``decided`` is about; None when that is not open here (any more).

    Nor is anything written when the record has our intent hash over other bytes: somebody with a
    shop's key made it, and a person decides (PROTOCOL 5). JournalError when the entry cannot be
    written, ModuleGoneError when the module is away: the bundle says it again.
    """
    if journal.views.intent_state(decided.seq) not in UNSETTLED:
        return None
    intent = journal.views.entry(decided.seq).decode()
    short = intent.hash[:INTENT_HASH_SIZE]
    if short != decided.intent_hash:  # of a journal that this disk has lost
        return None
    if intent_hash_in(decided.record) != short:
        closing: Committed | NotApplied = NotApplied(
            intent_seq=decided.seq, code=NotAppliedCode.READ, newest_record=decided.record
        )
    elif decided.record != PendingDebit.of(intent, module).record:
        return None
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
