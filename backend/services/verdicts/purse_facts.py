"""Gathers what is known of one purse, for judging."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import groupby
from typing import TypeVar

from backend.adapters.tables.cards import CardGrantRow, PurseRow
from backend.adapters.tables.journals import IntentLineRow, IntentRow
from backend.adapters.tables.terminals import TerminalRow
from backend.adapters.tables.verdicts import CardRecordRow, PostingRow, ProofRequestRow
from backend.adapters.unit_of_work import Unit
from backend.domain.cases import Decision
from backend.domain.verdicts import Base, Closing, RecordFact
from cardlib.codec.purse import Grant, Info, Spend
from cardlib.wire.entry import INTENT_HASH_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRecord:
    """A stored record with what its terminal's journal says of it."""

    row: CardRecordRow
    spend: Spend
    terminal: TerminalRow | None
    intent: IntentRow | None
    lines: Sequence[IntentLineRow]
    given_back: bool = False
    """Whether people decided that no card was debited for what its terminal claims."""

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
            given_back=self.given_back,
        )  # fmt: skip

    def _lines_by_slot(self) -> dict[int, int]:
        cents: dict[int, int] = {}
        for line in self.lines:
            cents[line.slot] = cents.get(line.slot, 0) + line.cents
        return cents


@dataclass(frozen=True, slots=True)
class KnownGrant:
    """A stored grant with what was signed in it; ``hash`` is the SHA-256 of its 91 bytes."""

    row: CardGrantRow
    terms: Grant
    hash: bytes

    @classmethod
    def of(cls, row: CardGrantRow) -> "KnownGrant":
        """``row``, read."""
        return cls(row, Grant.decode(row.grant), sha256(row.grant + row.signature).digest())


@dataclass(frozen=True, slots=True)
class PurseFacts:
    """Known records above ``base``, by hash, and the purse's grants by number.

    ``attests``: whether its chip can prove a sale; a legacy chip never can. ``postings`` begin
    at the counter of ``base``.
    """

    base: Base
    records: dict[bytes, KnownRecord]
    grants: dict[int, KnownGrant]
    attests: bool = True
    postings: Sequence[PostingRow] = ()
    requests: Sequence[ProofRequestRow] = field(default=())


def gather(unit: Unit, changes: Sequence[tuple[PurseRow, int | None]]) -> list[PurseFacts]:
    """What is known of each purse, as far down as its new facts may change anything.

    With each purse comes the lowest counter of its new facts; None: from the first on. Costs
    the same few queries for any number of purses.
    """
    ids = [purse.id for purse, _ in changes]
    starts = _starts(unit, changes)
    spends = {row: Spend.decode(row.clear) for row in unit.verdicts.records_from(starts)}
    posted = unit.verdicts.postings_from(starts)
    above = [spend for row, spend in spends.items() if row.ctr > starts[row.purse_id]]
    _look_up(unit, ids, above, posted)
    records, postings = _by_purse(spends), _by_purse(posted)
    grants = _by_purse(unit.cards.grants_of_purses(ids))
    requests = _by_purse(unit.verdicts.proof_requests_of(ids))
    facts: list[PurseFacts] = []
    for purse, _ in changes:
        base, known = _records(unit, records.get(purse.id, ()), starts[purse.id], spends)
        for posting in postings.get(purse.id, ()):
            if posting.record_hash in known and _is_given_back(unit, posting):
                claim = known[posting.record_hash]
                known[posting.record_hash] = replace(claim, given_back=True)
        facts.append(
            PurseFacts(
                base=base,
                records=known,
                grants={
                    grant.grant_seq: KnownGrant.of(grant) for grant in grants.get(purse.id, ())
                },
                attests=Info.from_core(purse.info_core).attests,
                postings=postings.get(purse.id, ()),
                requests=requests.get(purse.id, ()),
            )
        )
    return facts


def _is_given_back(unit: Unit, posting: PostingRow) -> bool:
    """Whether people closed the case of an unproven sale, and the wallet has its money again."""
    if posting.case_id is None or posting.is_void or posting.state != "unproven":
        return False
    return unit.verdicts.case(posting.case_id).decision == Decision.RELEASE


def _starts(unit: Unit, changes: Sequence[tuple[PurseRow, int | None]]) -> dict[int, int]:
    """By purse, the highest counter at and below which nothing can change any more."""
    unsettled = unit.verdicts.lowest_unsettled(
        [purse.id for purse, changed_ctr in changes if changed_ctr is not None]
    )
    starts: dict[int, int] = {}
    for purse, changed_ctr in changes:
        closed = 0 if changed_ctr is None else min(purse.card_mark, changed_ctr - 1)
        if purse.id in unsettled:
            closed = min(closed, unsettled[purse.id] - 1)
        starts[purse.id] = max(closed, 0)
    return starts


def _look_up(
    unit: Unit, purses: Collection[int], spends: Sequence[Spend], postings: Sequence[PostingRow]
) -> None:
    """What the judgement of these records will ask for, one by one, is then at hand."""
    unit.journals.fetch_intents((spend.terminal, spend.seq) for spend in spends)
    unit.terminals.fetch(spend.terminal for spend in spends)
    found = (unit.terminals.find(spend.terminal) for spend in spends)
    merchants = {row.merchant_id for row in found if row is not None}
    unit.terminals.fetch_enabled(merchants)
    unit.journals.fetch_entries(_doubtful(unit, spends))
    unit.ledger.fetch_accounts(purses, merchants)
    unit.ledger.fetch_accounts_by_id(
        number for row in postings for part in row.parts for number in part.ends
    )
    unit.ledger.head()
    voided = {(row.purse_id, row.ctr - 1) for row in postings if row.is_void}
    unit.settlement.fetch_returns(row.id for row in postings if (row.purse_id, row.ctr) in voided)
    unit.verdicts.fetch_cases(row.case_id for row in postings if row.case_id is not None)


def _doubtful(unit: Unit, spends: Iterable[Spend]) -> Iterator[tuple[int, int]]:
    """Places in journals that have to be looked at: of records without intent, and of voids."""
    for spend in spends:
        intent = unit.journals.intent(spend.terminal, spend.seq)
        if intent is None or intent.voided_seq is not None:
            yield spend.terminal, spend.seq
        if intent is not None and intent.voided_seq is not None:
            yield spend.terminal, intent.voided_seq


_Row = TypeVar("_Row", CardRecordRow, PostingRow, CardGrantRow, ProofRequestRow)


def _by_purse(rows: Iterable[_Row]) -> dict[int, list[_Row]]:
    """``rows``, which come purse by purse."""
    return {key: list(group) for key, group in groupby(rows, lambda row: row.purse_id)}


def _records(
    unit: Unit, rows: Iterable[CardRecordRow], from_ctr: int, spends: Mapping[CardRecordRow, Spend]
) -> tuple[Base, dict[bytes, KnownRecord]]:
    base = Base(from_ctr)
    records: dict[bytes, KnownRecord] = {}
    for row in rows:
        if row.ctr > from_ctr:
            records[row.record_hash] = _known_record(unit, row, spends[row])
        elif row.live or (row.ctr == 0 and row.attested):
            proven = row.proven or row.attested
            base = Base(from_ctr, row.record_hash, spends[row].spent, proven)
    return base, records


def _known_record(unit: Unit, row: CardRecordRow, spend: Spend) -> KnownRecord:
    """``row`` with its terminal and the intent that announced it, if they are known."""
    intent = unit.journals.intent(spend.terminal, spend.seq)
    if intent is not None and not _announces(intent, row, spend):
        intent = None
    lines = unit.journals.intent_lines(spend.terminal, spend.seq) if intent else ()
    terminal = unit.terminals.find(spend.terminal)
    return KnownRecord(row=row, spend=spend, terminal=terminal, intent=intent, lines=lines)


def grant_of_line(facts: PurseFacts, line: IntentLineRow) -> KnownGrant | None:
    """The grant that a line spent from, if it is one of ours, in clear as the till saw it."""
    grant = facts.grants.get(line.grant_seq)
    if grant is None or grant.row.slot != line.slot:
        return None
    return grant if grant.hash == line.grant_hash else None


def _announces(intent: IntentRow, row: CardRecordRow, spend: Spend) -> bool:
    return (
        intent.purse_id == row.purse_id
        and intent.record_hash == row.record_hash
        and intent.hash[:INTENT_HASH_SIZE] == spend.intent_hash
    )
