"""What became of an intent: the entries that close it, written by a sale and by recovery alike."""

from dataclasses import dataclass
from typing import Self

from cardlib.codec.purse import INFO_CORE_SIZE, SpendType
from cardlib.drivers.purse_card import PurseCard
from cardlib.errors import CardlibError
from cardlib.keys.module import SecurityModule
from cardlib.wire.entry import INTENT_HASH_SIZE, Entry
from cardlib.wire.entry_body import (
    AttestedRead,
    Committed,
    How,
    Intent,
    NotApplied,
    NotAppliedCode,
    Unresolved,
)
from cardlib.wire.entry_header import EntryType
from cardlib.wire.ids import PurseId
from terminal.journal.derived import purse_of
from terminal.journal.journal import Journal

NO_RANDOM = bytes(8)
"""Key 51 when the attested read failed: then there is no certificate to check either."""


@dataclass(frozen=True, slots=True)
class PendingDebit:
    """A durable intent whose outcome is to be found out.

    ``record`` is what its UPDATE writes, rebuilt by the module; ``prior`` what was newest before.
    """

    entry: Entry
    intent: Intent
    record: bytes

    @classmethod
    def of(cls, entry: Entry, module: SecurityModule) -> Self:
        """From an intent of this terminal."""
        assert isinstance(entry.body, Intent)
        assert len(entry.body.info_core) == INFO_CORE_SIZE
        return cls(entry, entry.body, module.record_of(entry.complete))

    @property
    def purse(self) -> PurseId:
        """Whose card it is about."""
        return purse_of(self.intent)

    @property
    def ctr(self) -> int:
        """The counter that the record gets."""
        return self.intent.plan.ctr

    @property
    def hash(self) -> bytes:
        """The intent hash in the record."""
        return self.entry.hash[:INTENT_HASH_SIZE]

    @property
    def prior(self) -> bytes:
        """The newest record when the intent was made."""
        return self.intent.newest_record


def attest(card: PurseCard, index: int, record: bytes) -> AttestedRead | None:
    """The certificate for ``record`` at ``index``; None when the read fails or differs."""
    try:
        read = card.attest(index)
    except CardlibError:
        return None
    return read if read.record == record else None


def write_committed(
    journal: Journal, debit: PendingDebit, read: AttestedRead | None, how: How, index: int = 1
) -> Entry:
    """The sale (or void, or recovered) entry; durable when it returns."""
    return journal.append(
        Committed(
            type=_type_of(debit.intent, how),
            intent_seq=debit.entry.header.seq,
            intent_hash=debit.entry.hash,
            record=debit.record,
            random=NO_RANDOM if read is None else read.random,
            tc=None if read is None else read.tc,
            index=index,
            how=how,
            receipt=journal.views.receipt_number() + 1,
        )
    )


def write_not_applied(
    journal: Journal, debit: PendingDebit, code: NotAppliedCode, newest: bytes | None
) -> Entry:
    """The card was not debited; ``newest`` is the record that shows it."""
    seq = debit.entry.header.seq
    return journal.append(NotApplied(intent_seq=seq, code=code, newest_record=newest))


def write_unresolved(journal: Journal, debit: PendingDebit, code: str) -> Entry:
    """Nobody here can tell: the purse waits."""
    return journal.append(Unresolved(intent_seq=debit.entry.header.seq, code=code))


def _type_of(intent: Intent, how: How) -> EntryType:
    if how is How.RECOVERED:
        return EntryType.RECOVERED
    return EntryType.VOID if intent.plan.type is SpendType.VOID else EntryType.SALE
