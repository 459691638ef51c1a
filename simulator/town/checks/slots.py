"""Law 1 for one purse: what was granted, slot by slot, is where the books say it is.

``G_confirmed = S_posted + on_card + expired_pending + blocked + left − over``: granted by the
newest confirmed grant, posted on the live chain, held by the slot's accounts; ``left`` and
``over`` are counted since that grant was confirmed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cardlib.codec.purse import SLOTS
from cardlib.wire.ids import PurseId
from simulator.town.checks.cards import PurseTruth
from simulator.town.checks.declared import Declared
from simulator.town.checks.evidence import breach
from simulator.town.checks.ledger import LedgerWatch, SeenTransfer
from simulator.town.checks.postings import PostingWatch, SeenPart, SeenPosting, read_postings
from simulator.town.checks.routes import PRESENT
from simulator.town.checks.sql import Sql

_GONE = frozenset({"expired", "loading"})
_ALIVE = frozenset({"on_card", "loading"})
_PURSE = (
    "SELECT m.issuer, p.number FROM purse p"
    " JOIN municipality m ON m.id = p.municipality_id WHERE p.id = ?"
)
_BOOKED_BY = "SELECT coalesce(max(id), 0) FROM transfer WHERE booked_at <= ?"
_STATES = (
    "SELECT g.grant_seq, g.state FROM card_grant g JOIN purse p ON p.id = g.purse_id"
    " JOIN municipality m ON m.id = p.municipality_id WHERE m.issuer = ? AND p.number = ?"
)
_NEWEST = (
    "SELECT slot, grant_seq, order_id, grant_bytes, confirmed_at FROM card_grant"
    " WHERE purse_id = ? AND state = 'on_card'"
)


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
        self.postings = PostingWatch(ledger, purses, declared)
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
                if account.kind in PRESENT and account.purse and account.slot:
                    self._accounts[account.purse][account.slot].add(account.id)
            if one.source.kind == "loading" and one.document[0] == "order":
                self._booked[one.document[1]] = one.id
            place = one.source.purse, one.source.slot
            if one.source.kind in PRESENT and one.target.kind in _GONE and None not in place:
                order = one.document[1] if one.document[0] == "order" else ""
                self._gone[place[0] or 0, place[1] or 0].append((one.id, one.cents, order))

    def check(self, sql: Sql, row: int, before: int) -> None:
        """Everything about purse ``row``; ``before`` is the last transfer of the step before."""
        issuer, number = sql.one(_PURSE, row)
        purse = PurseId(bytes(issuer), bytes(number))
        postings = read_postings(sql, row)
        self._check_slots(sql, row, purse, postings, before)
        self.postings.check(sql, row, purse, postings)

    def check_end(self, sql: Sql) -> None:
        """All is synchronised: every record of a card is posted, and its wallets are confirmed."""
        self.postings.check_end(sql)
        for purse, truth in self._purses.items():
            if purse in self._declared.rogue_purses:
                continue
            states: dict[int, str] = dict(sql.ask(_STATES, purse.issuer, purse.number))
            for slot in range(1, SLOTS + 1):
                wins = truth.granted(slot)
                if wins is not None and states.get(wins.grant.grant_seq) not in _ALIVE:
                    seq, cents = wins.grant.grant_seq, wins.grant.granted_total
                    what = f"grant {seq} on the card is {states.get(seq)}"
                    raise breach("TOWN_SLOT_UNBALANCED", 1, f"{purse} slot {slot}", what, cents)

    def _check_slots(
        self, sql: Sql, row: int, purse: PurseId, postings: list[SeenPosting], before: int
    ) -> None:
        granted = {}
        for slot, seq, order, octets, confirmed in sql.ask(_NEWEST, row):
            granted[slot] = int.from_bytes(bytes(octets)[14:17], "big")
            known = self._confirmed.get((row, slot))
            if known is None or known.grant_seq != seq:
                since = before or self._booked.get(str(order), 0)
                if not since:  # a grant of 0 cents, in books that are read anew
                    ((since,),) = sql.ask(_BOOKED_BY, confirmed)
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
