"""Liveness: when a history has ended, nobody waits for money, for a proof or for a mark.

Nothing is refused for ever and nothing forgotten: an honest merchant has been paid by the bank
what the books say, and nothing of it is payable, in payment or in suspense any more. Each record
that a till read with a good certificate, and told of, is proven. Each till that is still there is
complete up to its newest report. Who made a claim that nobody can settle is known by name: an
adversary's till, or a purse of which more than one chip speaks.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256

from simulator.errors import TownError
from simulator.town.checks.evidence import TownSeen, breach
from simulator.town.checks.journals import SeenJournal, SeenRead
from simulator.town.checks.ledger import LedgerWatch
from simulator.town.checks.proofs import ProofWatch
from simulator.town.checks.sql import Sql

_WAITS = frozenset({"payable", "in_payment"})
_HELD = (
    "SELECT t.merchant_id, s.terminal, s.intent_seq, m.issuer, p.number,"
    " (SELECT coalesce(sum(pp.cents), 0) FROM posting_part pp JOIN account a"
    " ON a.id = pp.holder_id JOIN posting v ON v.id = pp.posting_id WHERE a.kind = 'suspense'"
    " AND v.purse_id = s.purse_id AND (v.id = s.id OR v.live AND v.is_void <> s.is_void"
    " AND v.ctr = s.ctr + CASE WHEN s.is_void THEN -1 ELSE 1 END)),"
    " (SELECT coalesce(sum(pp.cents), 0) FROM posting_part pp JOIN account a"
    " ON a.id = pp.holder_id WHERE pp.posting_id = s.id AND a.kind = 'payable')"
    " - (SELECT coalesce(sum(l.cents), 0) FROM batch_line l JOIN settlement_batch b"
    " ON b.id = l.batch_id WHERE l.posting_id = s.id AND l.state = 'included'"
    " AND b.state = 'paid') FROM posting s JOIN terminal t ON t.number = s.terminal"
    " JOIN purse p ON p.id = s.purse_id JOIN municipality m ON m.id = p.municipality_id"
    " ORDER BY 6 DESC, s.id"
)
"""Of every posting: cents in suspense, with the void that undoes it or the sale that it undoes;
and cents owed that no batch has paid."""
_ATTESTED = "SELECT record_hash FROM card_record WHERE attested"
_UNPROVEN = (
    "SELECT s.terminal, s.intent_seq, m.issuer, p.number FROM posting s"
    " JOIN card_record r ON (r.purse_id, r.ctr, r.record_hash)"
    " = (s.purse_id, s.ctr, s.record_hash) JOIN purse p ON p.id = s.purse_id"
    " JOIN municipality m ON m.id = p.municipality_id WHERE r.attested AND s.state <> 'proven'"
)
_TERMINALS = "SELECT number, high_seq, mark FROM terminal"
_IBANS = "SELECT id, iban FROM merchant"
_RECEIVED = "SELECT received_at FROM entry WHERE terminal = ? AND seq = ?"


class DueWatch:
    """The last look at a town whose history has come to its end."""

    def __init__(
        self, town: TownSeen, sql: Sql, journals: Mapping[int, SeenJournal], proofs: ProofWatch,
        ledger: LedgerWatch,
    ) -> None:  # fmt: skip
        self._town, self._declared = town, town.declared
        self._sql, self._journals, self._proofs, self._ledger = sql, journals, proofs, ledger
        self._high: dict[int, int] = {}
        self._marks: dict[int, int] = {}
        self._excused = 0
        """Cents owed for sales about which nobody can tell the truth."""

    def check(self) -> None:
        """TownError ``TOWN_DUE_WAITS`` for the first who waits without a reason."""
        for terminal, high, mark in self._sql.ask(_TERMINALS):
            self._high[terminal], self._marks[terminal] = high, mark
        self._check_proven()
        self._check_marks()
        self._check_held()
        self._check_paid()

    # proofs -----------------------------------------------------------------------------------

    def _check_proven(self) -> None:
        """What a till read, and told of, with the chip's own certificate."""
        attested = {bytes(digest) for (digest,) in self._sql.ask(_ATTESTED)}
        for terminal, read in self._reads():
            if sha256(read.record).digest() not in attested and self._proofs.is_genuine(
                read.core, read.index, read.record, read.random, read.tc
            ):
                what = "the chip certified the record that was read there, and nothing is proven"
                raise _waits(2, f"{terminal}:{read.seq}", what)
        for terminal, seq, *purse in self._sql.ask(_UNPROVEN):
            if not self._is_rogue(terminal, purse):
                raise _waits(2, f"{terminal}:{seq}", "its record is attested, and not proven")

    def _reads(self) -> Iterator[tuple[int, SeenRead]]:
        """Of honest cards at honest tills, as far as the backend has their journals."""
        for terminal, journal in self._journals.items():
            if terminal not in self._doubtful():
                for read in journal.reads:
                    purse = read.core[9:12], read.core[1:9]
                    if read.seq <= self._high.get(terminal, 0) and not self._is_rogue(0, purse):
                        yield terminal, read

    # marks ------------------------------------------------------------------------------------

    def _check_marks(self) -> None:
        """The newest entry that may move a mark has moved it."""
        for terminal, journal in self._journals.items():
            if terminal in self._doubtful() | self._declared.lost_terminals or not journal.beats:
                continue
            seq, wall_ms = journal.beats[-1]
            for (received,) in self._sql.ask(_RECEIVED, terminal, seq):
                off = min(wall_ms // 1000, received) - self._marks.get(terminal, 0)
                if off > 0:
                    what = f"its mark is {off} s behind what entry {seq} vouches for"
                    raise _waits(9, f"terminal {terminal}", what)

    # money ------------------------------------------------------------------------------------

    def _check_held(self) -> None:
        """Sale by sale; what a void has taken back is netted with the others of its shop."""
        owed, first = Counter[int](), dict[int, str]()
        for merchant, terminal, seq, issuer, number, suspended, unpaid in self._sql.ask(_HELD):
            if self._is_rogue(terminal, (issuer, number)):
                self._excused += abs(unpaid)
                continue
            if suspended:
                raise _waits(2, f"sale {terminal}:{seq}", "it lies in suspense", suspended)
            owed[merchant] += unpaid
            if unpaid > 0:
                first.setdefault(merchant, f"sale {terminal}:{seq}")
        for merchant, cents in sorted(owed.items()):
            if cents > 0:
                raise _waits(2, first[merchant], "no batch has paid it, or another one", cents)

    def _check_paid(self) -> None:
        """What is not in suspense has been paid, and the bank says so too."""
        waits, paid = Counter[int](), Counter[int]()
        for account in self._ledger.accounts.values():
            if account.merchant is not None and account.kind in _WAITS:
                waits[account.merchant] += self._ledger.balances[account.id]
            elif account.merchant is not None and account.kind == "paid":
                paid[account.merchant] += self._ledger.balances[account.id]
        for merchant, iban in self._sql.ask(_IBANS):
            if waits[merchant] > self._excused:
                raise _waits(2, f"merchant {merchant}", "it was not paid", waits[merchant])
            off = paid[merchant] - self._declared.paid[iban]
            if off:
                what = f"the bank paid {self._declared.paid[iban]}, the books say {paid[merchant]}"
                raise breach("TOWN_GOODS_ASTRAY", 1, f"merchant {merchant}", what, off)

    # who is excused ---------------------------------------------------------------------------

    def _doubtful(self) -> set[int]:
        return self._declared.rogue_terminals | self._declared.restored_journals

    def _is_rogue(self, terminal: int, purse: Iterable[bytes]) -> bool:
        issuer, number = (bytes(one) for one in purse)
        purses = {(one.issuer, one.number) for one in self._declared.rogue_purses}
        return terminal in self._declared.rogue_terminals or (issuer, number) in purses


def _waits(law: int, subject: str, what: str, cents: int = 0) -> TownError:
    return breach("TOWN_DUE_WAITS", law, subject, what, cents)
