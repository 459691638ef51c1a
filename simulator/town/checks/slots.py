"""Laws 1, 6, 9 and 12 for one purse: card, postings and accounts, slot by slot.

Each live posting is what the chip wrote: the same record, the same cents (``S_card =
S_proven + U``). Its transfers moved exactly its parts, however often it was sent. Per slot
``G_confirmed = S_posted + on_card + expired_pending + blocked + left − over``. Watermark and
card mark are not ahead of the chip.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cardlib.codec.purse import SLOTS
from cardlib.wire.ids import PurseId
from simulator.errors import TownError
from simulator.town.checks.cards import PurseTruth
from simulator.town.checks.declared import Declared
from simulator.town.checks.evidence import breach
from simulator.town.checks.ledger import LedgerWatch, SeenTransfer
from simulator.town.checks.sql import Sql

_PRESENT = frozenset({"on_card", "expired_pending", "blocked"})
_GONE = frozenset({"expired", "loading"})
_ALIVE = frozenset({"on_card", "loading"})
_PEOPLE = (
    "SELECT id FROM suspense_case WHERE purse_id = ? AND coalesce(decided_by, 'system') <> 'system'"
)
_LIVE = (
    "SELECT s.ctr, s.record_hash FROM posting s JOIN purse p ON p.id = s.purse_id"
    " JOIN municipality m ON m.id = p.municipality_id"
    " WHERE s.live AND m.issuer = ? AND p.number = ?"
)
_STATES = (
    "SELECT g.grant_seq, g.state FROM card_grant g JOIN purse p ON p.id = g.purse_id"
    " JOIN municipality m ON m.id = p.municipality_id WHERE m.issuer = ? AND p.number = ?"
)
_POSTINGS = (
    "SELECT id, ctr, record_hash, state, live, amount_open, reason, is_void, terminal,"
    " closing_seq, case_id FROM posting WHERE purse_id = ? ORDER BY ctr"
)
_PARTS = (
    "SELECT pp.posting_id, pp.slot, pp.origin_id, pp.holder_id, pp.cents FROM posting_part pp"
    " JOIN posting p ON p.id = pp.posting_id WHERE p.purse_id = ?"
)
_NEWEST = (
    "SELECT slot, grant_seq, order_id, grant_bytes FROM card_grant"
    " WHERE purse_id = ? AND state = 'on_card'"
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


@dataclass(frozen=True, slots=True)
class _Confirmed:
    """The newest confirmed grant of a slot, and the last transfer before it was."""

    grant_seq: int
    order: int
    since: int


class SlotWatch:
    """Every purse that the ledger knows."""

    def __init__(
        self, ledger: LedgerWatch, purses: Mapping[PurseId, PurseTruth], declared: Declared
    ) -> None:
        self._ledger = ledger
        self._purses = purses
        self._declared = declared
        self._confirmed: dict[tuple[int, int], _Confirmed] = {}
        self._booked: dict[str, int] = {}
        """The transfer that put an order's delta on its card."""
        self._gone: defaultdict[tuple[int, int], list[tuple[int, int, str]]] = defaultdict(list)
        self._accounts: defaultdict[int, defaultdict[int, set[int]]] = defaultdict(
            lambda: defaultdict(set)
        )
        """Present accounts, by purse and slot."""

    def learn(self, transfers: Iterable[SeenTransfer]) -> None:
        """Notes what left a slot for good or for another card."""
        for one in transfers:
            for account in (one.source, one.target):
                if account.kind in _PRESENT and account.purse and account.slot:
                    self._accounts[account.purse][account.slot].add(account.id)
            if one.source.kind == "loading" and one.document[0] == "order":
                self._booked[one.document[1]] = one.id
            place = one.source.purse, one.source.slot
            if one.source.kind in _PRESENT and one.target.kind in _GONE and None not in place:
                order = one.document[1] if one.document[0] == "order" else ""
                self._gone[place[0] or 0, place[1] or 0].append((one.id, one.cents, order))

    def check(self, sql: Sql, row: int, before: int) -> None:
        """Everything about purse ``row``; ``before`` is the last transfer of the step before."""
        issuer, number, proven, digest, mark = sql.one(
            "SELECT m.issuer, p.number, p.proven_ctr, p.proven_hash, p.card_mark FROM purse p"
            " JOIN municipality m ON m.id = p.municipality_id WHERE p.id = ?", row,
        )  # fmt: skip
        purse = PurseId(bytes(issuer), bytes(number))
        postings = _postings(sql, row)
        self._check_slots(sql, row, purse, postings, before)
        truth = self._purses.get(purse)
        people = {case for (case,) in sql.ask(_PEOPLE, row)}
        for posting in postings:
            if posting.case not in people:
                self._check_moved(posting, purse)
        if truth is None or purse in self._declared.rogue_purses:
            return
        for posting in postings:
            self._check_posting(posting, truth)
        self._check_marks(truth, postings, proven, digest, mark)

    def check_end(self, sql: Sql) -> None:
        """All is synchronised: every record of a card is posted, and its wallets are confirmed."""
        silent = self._declared.rogue_terminals | self._declared.lost_terminals
        silent |= self._declared.restored_journals
        for purse, truth in self._purses.items():
            if purse in self._declared.rogue_purses:
                continue
            rows = sql.ask(_LIVE, purse.issuer, purse.number)
            posted = {ctr: bytes(digest) for ctr, digest in rows}
            for ctr, written in truth.chain.items():
                spend = written.spend
                if spend.type and spend.terminal not in silent and posted.get(ctr) != written.hash:
                    raise _slot(truth, f"record {ctr} was never posted", written.cents)
            states: dict[int, str] = dict(sql.ask(_STATES, purse.issuer, purse.number))
            for slot in range(1, SLOTS + 1):
                wins = truth.granted(slot)
                if wins is not None and states.get(wins.grant.grant_seq) not in _ALIVE:
                    what = f"grant {wins.grant.grant_seq} is {states.get(wins.grant.grant_seq)}"
                    raise _slot(truth, what, wins.grant.granted_total)

    # one posting ------------------------------------------------------------------------------

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

    def _check_marks(
        self, truth: PurseTruth, postings: list[SeenPosting], proven: int, digest: bytes | None,
        mark: int,
    ) -> None:  # fmt: skip
        real = truth.chain.get(proven)
        if digest is not None and (real is None or real.hash != bytes(digest)):
            raise _proof(truth, f"the watermark names a record {proven} that it never held")
        live = {posting.ctr for posting in postings if posting.live}
        missing = [ctr for ctr in range(1, mark + 1) if ctr not in live]
        if missing or mark > max(truth.top, 0):
            what = f"card mark {mark}, but {missing or truth.top} is not posted"
            raise breach("TOWN_MARK_AHEAD", 9, truth.purse, what)

    # slots ------------------------------------------------------------------------------------

    def _check_slots(
        self, sql: Sql, row: int, purse: PurseId, postings: list[SeenPosting], before: int
    ) -> None:
        granted = {}
        for slot, seq, order, octets in sql.ask(_NEWEST, row):
            granted[slot] = int.from_bytes(bytes(octets)[14:17], "big")
            known = self._confirmed.get((row, slot))
            if known is None or known.grant_seq != seq:
                since = before or self._booked.get(str(order), 0)
                self._confirmed[row, slot] = _Confirmed(seq, order, since)
        slots = set(granted) | set(self._accounts[row])
        for slot in sorted(slots):
            self._check_slot(row, purse, slot, granted.get(slot, 0), postings)

    def _check_slot(
        self, row: int, purse: PurseId, slot: int, granted: int, postings: list[SeenPosting]
    ) -> None:
        newest = self._confirmed.get((row, slot), _Confirmed(0, 0, 0))
        parts = [
            (posting, part)
            for posting in postings
            for part in posting.parts
            if posting.live and part.slot == slot
        ]
        over = sum(
            part.cents for posting, part in parts if self._lent(posting, part, purse, newest)
        )
        posted = sum(part.cents for _, part in parts)
        present = self._ledger.balance_of(self._accounts[row][slot])
        left = sum(
            cents
            for number, cents, order in self._gone[row, slot]
            if number > newest.since and order != str(newest.order)
        )
        off = granted - (posted + present + left - over)
        if off:
            what = f"G {granted}, S {posted}, present {present}, left {left}, over {over}"
            raise breach("TOWN_SLOT_UNBALANCED", 1, f"{purse} slot {slot}", what, off)

    def _lent(
        self, posting: SeenPosting, part: SeenPart, purse: PurseId, newest: _Confirmed
    ) -> bool:
        """Whether exposure paid this part since the newest grant was confirmed."""
        if self._ledger.accounts[part.origin].kind != "exposure":
            return False
        touched = (self._ledger.lent.get(one, 0) for one in posting.documents(purse))
        return max(touched) > newest.since


def _postings(sql: Sql, row: int) -> list[SeenPosting]:
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
