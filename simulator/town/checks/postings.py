"""Laws 1, 2, 6, 9 and 12 for postings: each is what the chip wrote, moved once, and proven.

A live posting has the record of the chip and the cents that it took (``S_card = S_proven +
U``). Its transfers, all together, moved exactly its parts, however often it was sent. What
counts as proven is attested, or a later attested record of another merchant's terminal vouches
for it. Watermark and card mark are not ahead of that.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from cardlib.wire.ids import PurseId
from simulator.errors import TownError
from simulator.town.checks.cards import PurseTruth
from simulator.town.checks.declared import Declared
from simulator.town.checks.evidence import breach
from simulator.town.checks.ledger import LedgerWatch
from simulator.town.checks.sql import Sql

_PEOPLE = (
    "SELECT id FROM suspense_case WHERE purse_id = ? AND coalesce(decided_by, 'system') <> 'system'"
)
_ATTESTED = "SELECT ctr, record_hash FROM card_record WHERE purse_id = ? AND attested"
_PURSE = "SELECT proven_ctr, proven_hash, card_mark FROM purse WHERE id = ?"
_MERCHANT = "SELECT merchant_id FROM terminal WHERE number = ?"
_PARKED = "SELECT 1 FROM intent WHERE terminal = ? AND seq = ? AND state = 'unresolved'"
_LIVE = (
    "SELECT s.ctr, s.record_hash FROM posting s JOIN purse p ON p.id = s.purse_id"
    " JOIN municipality m ON m.id = p.municipality_id"
    " WHERE s.live AND m.issuer = ? AND p.number = ?"
)
_POSTINGS = (
    "SELECT id, ctr, record_hash, state, live, amount_open, reason, is_void, terminal,"
    " closing_seq, case_id FROM posting WHERE purse_id = ? ORDER BY ctr"
)
_PARTS = (
    "SELECT pp.posting_id, pp.slot, pp.origin_id, pp.holder_id, pp.cents FROM posting_part pp"
    " JOIN posting p ON p.id = pp.posting_id WHERE p.purse_id = ?"
)


@dataclass(frozen=True, slots=True)
class SeenPart:
    """Where a part of a posting came from and where it lies."""

    slot: int
    origin: int
    holder: int
    cents: int


@dataclass(slots=True)
class SeenPosting:
    """A posting with its parts."""

    id: int
    ctr: int
    hash: bytes
    state: str
    live: bool
    amount_open: bool
    reason: str
    is_void: bool
    terminal: int
    closing_seq: int | None
    case: int | None
    parts: list[SeenPart] = field(default_factory=list)

    def by_slot(self) -> dict[int, int]:
        """Cents by slot, as the card counts them; slots without change left out."""
        cents: Counter[int] = Counter()
        for part in self.parts:
            cents[part.slot] += part.cents
        return {slot: amount for slot, amount in cents.items() if amount}

    def documents(self, purse: PurseId) -> list[tuple[str, str]]:
        """What its transfers may name."""
        record = f"{purse.issuer.hex()}:{purse.number.hex()}:{self.ctr}:{self.hash[:4].hex()}"
        named = [("record", record)]
        if self.closing_seq is not None:
            named.append(("entry", f"{self.terminal}:{self.closing_seq}"))
        return named


class PostingWatch:
    """Every posting."""

    def __init__(
        self, ledger: LedgerWatch, purses: Mapping[PurseId, PurseTruth], declared: Declared
    ) -> None:
        self._ledger = ledger
        self._purses = purses
        self._declared = declared

    def check(self, sql: Sql, row: int, purse: PurseId, postings: list[SeenPosting]) -> None:
        """The postings of purse ``row``, against its chip and the ledger."""
        people = {case for (case,) in sql.ask(_PEOPLE, row)}
        for posting in postings:
            if posting.case not in people:
                self._check_moved(posting, purse)
        truth = self._purses.get(purse)
        if truth is None or purse in self._declared.rogue_purses:
            return
        attested = {ctr: bytes(digest) for ctr, digest in sql.ask(_ATTESTED, row)}
        for posting in postings:
            self._check_posting(posting, truth)
            if posting.state == "proven" and attested.get(posting.ctr) != posting.hash:
                self._check_implied(sql, truth, posting, attested)
        self._check_marks(sql, row, truth, postings, attested)

    def check_end(self, sql: Sql) -> None:
        """All is synchronised: every record of an honest card is posted."""
        silent = self._declared.rogue_terminals | self._declared.lost_terminals
        silent |= self._declared.restored_journals
        for purse, truth in self._purses.items():
            if purse in self._declared.rogue_purses:
                continue
            rows = sql.ask(_LIVE, purse.issuer, purse.number)
            posted = {ctr: bytes(digest) for ctr, digest in rows}
            for ctr, written in truth.chain.items():
                spend = written.spend
                told = spend.type and spend.terminal not in silent
                if told and posted.get(ctr) != written.hash and not self._hidden(sql, truth, ctr):
                    raise _slot(truth, f"record {ctr} was never posted", written.cents)

    def _hidden(self, sql: Sql, truth: PurseTruth, ctr: int) -> bool:
        """Whether only a card that is lost could say what became of a sale that its till parked."""
        spend = truth.chain[ctr].spend
        unread = ctr == truth.top and truth.purse in self._declared.out_of_reach
        return unread and bool(sql.ask(_PARKED, spend.terminal, spend.seq))

    def _check_moved(self, posting: SeenPosting, purse: PurseId) -> None:
        """Its transfers, all together, moved its parts: neither more, nor twice."""
        wanted: Counter[int] = Counter()
        for part in posting.parts:
            wanted[part.origin] -= part.cents
            wanted[part.holder] += part.cents
        for document in posting.documents(purse):
            wanted.subtract(self._ledger.nets.get(document, {}))
        for account, cents in wanted.items():
            if cents:
                code, place = self._ledger.accounts[account].code, posting.documents(purse)[-1][1]
                raise breach("TOWN_BOOKED_TWICE", 6, place, f"{code} is not what it says", cents)

    def _check_posting(self, posting: SeenPosting, truth: PurseTruth) -> None:
        """It is what the chip wrote."""
        written = truth.chain.get(posting.ctr)
        is_real = written is not None and written.hash == posting.hash
        parts = posting.by_slot()
        if posting.state == "proven" and not is_real:
            raise _proof(truth, f"record {posting.ctr} is proven, but was never written")
        if not posting.live or not is_real or written is None:
            if parts and posting.terminal not in self._declared.rogue_terminals:
                cents = sum(parts.values())
                raise _slot(truth, f"record {posting.ctr} is not on the card, but posted", cents)
            return
        waits = posting.amount_open or (posting.is_void and posting.state == "unproven")
        waits = waits or (posting.is_void and posting.reason != "")
        if parts != written.taken() and not (waits and not parts):
            off = sum(parts.values()) - written.cents
            raise _slot(truth, f"record {posting.ctr} took {written.taken()}, not {parts}", off)

    def _check_implied(
        self, sql: Sql, truth: PurseTruth, posting: SeenPosting, attested: Mapping[int, bytes]
    ) -> None:
        """Without a proof of its own, an attested record of another merchant vouches for it."""
        merchants = {
            sql.ask(_MERCHANT, truth.chain[ctr].spend.terminal)[0][0]
            for ctr in attested
            if ctr > posting.ctr and ctr in truth.chain and truth.chain[ctr].spend.terminal
        }
        own = {merchant for (merchant,) in sql.ask(_MERCHANT, posting.terminal)}
        if posting.terminal and not merchants - own:
            raise _proof(truth, f"record {posting.ctr} is proven, but nothing proves it")

    def _check_marks(
        self, sql: Sql, row: int, truth: PurseTruth, postings: list[SeenPosting],
        attested: Mapping[int, bytes],
    ) -> None:  # fmt: skip
        ctr, digest, mark = sql.one(_PURSE, row)
        real = truth.chain.get(ctr)
        if digest is not None and (real is None or real.hash != bytes(digest)):
            raise _proof(truth, f"the watermark names a record {ctr} that it never held")
        proven = {one.ctr for one in postings if one.live and one.state == "proven"}
        if digest is not None and ctr not in proven and ctr not in attested:
            raise _proof(truth, f"the watermark stands at record {ctr}, which is not proven")
        live = {posting.ctr for posting in postings if posting.live}
        missing = [one for one in range(1, mark + 1) if one not in live]
        if missing or mark > max(truth.top, 0):
            what = f"card mark {mark}, but {missing or truth.top} is not posted"
            raise breach("TOWN_MARK_AHEAD", 9, truth.purse, what)


def read_postings(sql: Sql, row: int) -> list[SeenPosting]:
    """The postings of purse ``row``, by counter, with their parts."""
    found = {}
    for number, ctr, digest, state, live, is_open, reason, is_void, *entry in sql.ask(
        _POSTINGS, row
    ):
        found[number] = SeenPosting(
            number, ctr, bytes(digest), state, bool(live), bool(is_open), reason, bool(is_void),
            *entry,
        )  # fmt: skip
    for number, slot, origin, holder, cents in sql.ask(_PARTS, row):
        found[number].parts.append(SeenPart(slot, origin, holder, cents))
    return list(found.values())


def _proof(truth: PurseTruth, what: str) -> TownError:
    return breach("TOWN_PROOF_UNCHECKED", 12, truth.purse, what)


def _slot(truth: PurseTruth, what: str, cents: int) -> TownError:
    return breach("TOWN_SLOT_UNBALANCED", 1, truth.purse, what, cents)
