"""A merchant's statement as a signed document, with what it takes to check it (DESIGN 5).

The operator signs which entries are booked for the merchant in a period and for how much,
how far each of its journals is held, the tree over each day's entries, and the ledger's
head. Whoever keeps it can prove later that something of it is missing or was rewritten.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from itertools import groupby

from backend.adapters.key_store import KeyStore
from backend.adapters.tables.settlement import GivenStatementRow
from backend.adapters.tables.verdicts import PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.settlement import Period
from backend.domain.verdicts import PostingState
from backend.services.unit_of_work import Work
from cardlib.calendar import day_at, day_end
from cardlib.codec.purse import SpendType
from cardlib.ports import Clock
from cardlib.wire.ids import Seq, TerminalNumber
from cardlib.wire.ledger_head import LedgerHead
from cardlib.wire.merkle import Tree
from cardlib.wire.statement import DayRoot, JournalHead, Standing, StatedEntry, Statement

DAY_SETTLES_S = 3600
"""A day's tree is signed so long after midnight: no upload is still on its way into it."""


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Where an entry stands in its day's tree: ``path`` leads from it to the root."""

    terminal: int
    seq: int
    day: int
    index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """``complete`` are the signed bytes; the inclusions need no signature."""

    complete: bytes
    statement: Statement
    inclusions: tuple[Inclusion, ...]


@dataclass(frozen=True, slots=True)
class _Day:
    """All entries received on one day, by terminal and number."""

    start: int
    entries: tuple[tuple[int, int, bytes], ...]
    tree: Tree

    def root(self) -> DayRoot:
        return DayRoot(self.start, len(self.entries), self.tree.root)


class StatementService:
    """The use case."""

    def __init__(self, work: Work, keys: KeyStore, clock: Clock) -> None:
        self._work = work
        self._keys = keys
        self._clock = clock

    def issue(self, merchant: int, period: Period) -> SignedStatement:
        """Signs what is booked now, and keeps what tells this statement from any other.

        UnknownError ``MERCHANT_UNKNOWN``.
        """
        now = self._clock.unix_ms() // 1000
        with self._work.begin() as unit:
            row = unit.terminals.merchant(merchant)
            lines = tuple(_lines(unit, merchant, period))
            days = list(_days(unit, period, now - DAY_SETTLES_S))
            statement = Statement(
                merchant=merchant, merchant_name=row.name,
                operator=unit.programmes.operator().name, issued_at=now,
                time_from=period.start, time_to=period.end, lines=lines,
                journals=tuple(_journals(unit, merchant)),
                days=tuple(day.root() for day in days),
                ledger=LedgerHead(*unit.ledger.head()),
            )  # fmt: skip
            complete = statement.sign(self._keys.operator_key())
            _keep(unit, statement, sha256(complete).digest())
            unit.commit()
        return SignedStatement(complete, statement, tuple(_inclusions(lines, days)))


def _keep(unit: Unit, statement: Statement, digest: bytes) -> None:
    if unit.settlement.given_statement(digest) is None:
        unit.add(
            GivenStatementRow(
                merchant_id=statement.merchant, period_from=statement.time_from,
                period_to=statement.time_to, issued_at=statement.issued_at, hash=digest,
                transfer=statement.ledger.transfer, head=statement.ledger.hash,
            )
        )  # fmt: skip


def _lines(unit: Unit, merchant: int, period: Period) -> Iterator[StatedEntry]:
    rows = unit.verdicts.postings_of_merchant(merchant, period.start, period.end)
    digests = _digests(unit, rows)
    for row in rows:
        cents = sum(part.cents for part in row.parts)
        if row.closing_seq is None or not (row.live or cents):
            continue
        digest = digests.get((row.terminal, row.closing_seq))
        if digest is not None:
            yield StatedEntry(
                TerminalNumber(row.terminal), Seq(row.closing_seq), digest,
                SpendType.VOID if row.is_void else SpendType.SALE, abs(cents), _standing(row),
            )  # fmt: skip


def _digests(unit: Unit, rows: Sequence[PostingRow]) -> dict[tuple[int, int], bytes]:
    """The hashes of their closing entries, by terminal and number."""
    seqs: dict[int, list[int]] = {}
    for row in rows:
        if row.closing_seq is not None:
            seqs.setdefault(row.terminal, []).append(row.closing_seq)
    return {
        (terminal, seq): digest
        for terminal, numbers in seqs.items()
        for seq, digest in unit.journals.entry_hashes(terminal, numbers)
    }


def _standing(row: PostingRow) -> Standing:
    if row.state != PostingState.PROVEN or not row.live:
        return Standing.UNPROVEN
    return Standing.OPEN if row.amount_open else Standing.PROVEN


def _journals(unit: Unit, merchant: int) -> Iterator[JournalHead]:
    for row in unit.terminals.all():
        if row.merchant_id == merchant and not row.training and row.high_seq:
            yield JournalHead(TerminalNumber(row.number), Seq(row.high_seq), row.high_hash)


def _days(unit: Unit, period: Period, over_at: int) -> Iterator[_Day]:
    """The days of the period that were over at ``over_at`` and brought entries."""
    received = unit.journals.received(period.start, min(period.end, over_at))
    dated = sorted((day_at(at), terminal, seq, digest) for terminal, seq, digest, at in received)
    for day, rows in groupby(dated, key=lambda row: row[0]):
        if day_end(day) <= over_at:
            entries = tuple((terminal, seq, digest) for _, terminal, seq, digest in rows)
            tree = Tree([digest for _, _, digest in entries])
            yield _Day(day_end(day - timedelta(days=1)), entries, tree)


def _inclusions(lines: tuple[StatedEntry, ...], days: list[_Day]) -> Iterator[Inclusion]:
    wanted = {(line.terminal, line.seq) for line in lines}
    for day in days:
        for index, (terminal, seq, _) in enumerate(day.entries):
            if (terminal, seq) in wanted:
                path = tuple(day.tree.path_of(index))
                yield Inclusion(terminal, seq, day.start, index, path)
