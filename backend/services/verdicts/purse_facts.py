"""Gathers what is known of one purse, for judging."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from backend.adapters.tables.cards import CardGrantRow, PurseRow
from backend.adapters.tables.journals import IntentLineRow, IntentRow
from backend.adapters.tables.terminals import TerminalRow
from backend.adapters.tables.verdicts import CardRecordRow
from backend.adapters.unit_of_work import Unit
from backend.domain.verdicts import Base, Closing, RecordFact
from cardlib.codec.purse import Info, Spend
from cardlib.wire.entry import INTENT_HASH_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRecord:
    """A stored record with what its terminal's journal says of it."""

    row: CardRecordRow
    spend: Spend
    terminal: TerminalRow | None
    intent: IntentRow | None
    lines: Sequence[IntentLineRow]

    @property
    def closing_ref(self) -> str | None:
        """``T:S`` of the sale, recovered or void entry."""
        if self.intent is None or self.intent.state != Closing.COMMITTED:
            return None
        return f"{self.intent.terminal}:{self.intent.closing_seq}"

    def fact(self) -> RecordFact:
        """As the rules want it."""
        return RecordFact(
            ctr=self.row.ctr, hash=self.row.record_hash, prev=self.spend.prev,
            spent=self.spend.spent, type=self.spend.type, arrival=self.row.id,
            attested=self.row.attested,
            merchant=self.terminal.merchant_id if self.terminal else None,
            closing=Closing(self.intent.state) if self.intent else Closing.MISSING,
            lines=self._lines_by_slot() if self.intent else None,
        )  # fmt: skip

    def _lines_by_slot(self) -> dict[int, int]:
        cents: dict[int, int] = {}
        for line in self.lines:
            cents[line.slot] = cents.get(line.slot, 0) + line.cents
        return cents


@dataclass(frozen=True, slots=True)
class PurseFacts:
    """Known records above ``base``, by hash, and the purse's grants by number.

    ``attests``: whether its chip can prove a sale; a legacy chip never can.
    """

    base: Base
    records: dict[bytes, KnownRecord]
    grants: dict[int, CardGrantRow]
    attests: bool = True


def gather(unit: Unit, purse: PurseRow, from_ctr: int) -> PurseFacts:
    """Everything known above counter ``from_ctr``, which is 0 or a closed live record."""
    rows = unit.verdicts.records(purse.id, from_ctr)
    base = Base(from_ctr)
    records: dict[bytes, KnownRecord] = {}
    for row in rows:
        if row.ctr > from_ctr:
            records[row.record_hash] = known_record(unit, row)
        elif row.live or (row.ctr == 0 and row.attested):
            base = Base(from_ctr, row.record_hash, Spend.decode(row.clear).spent)
    grants = {grant.grant_seq: grant for grant in unit.cards.grants_of(purse.id)}
    return PurseFacts(base, records, grants, Info.from_core(purse.info_core).attests)


def known_record(unit: Unit, row: CardRecordRow) -> KnownRecord:
    """``row`` with its terminal and the intent that announced it, if they are known."""
    spend = Spend.decode(row.clear)
    intent = unit.journals.intent(spend.terminal, spend.seq)
    if intent is not None and not _announces(intent, row, spend):
        intent = None
    lines = unit.journals.intent_lines(spend.terminal, spend.seq) if intent else ()
    terminal = unit.terminals.find(spend.terminal)
    return KnownRecord(row=row, spend=spend, terminal=terminal, intent=intent, lines=lines)


def grant_of_line(facts: PurseFacts, line: IntentLineRow) -> CardGrantRow | None:
    """The grant that a line spent from, if it is one of ours, in clear as the till saw it."""
    grant = facts.grants.get(line.grant_seq)
    if grant is None or grant.slot != line.slot:
        return None
    return grant if sha256(grant.grant + grant.signature).digest() == line.grant_hash else None


def _announces(intent: IntentRow, row: CardRecordRow, spend: Spend) -> bool:
    return (
        intent.purse_id == row.purse_id
        and intent.record_hash == row.record_hash
        and intent.hash[:INTENT_HASH_SIZE] == spend.intent_hash
    )
