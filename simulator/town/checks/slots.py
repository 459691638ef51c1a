"""Law 1 for one purse: what was granted, slot by slot, is where the books say it is.

``G_confirmed = S_posted + on_card + expired_pending + blocked + left − over``: granted by the
newest confirmed grant, posted on the live chain, held by the slot's accounts; ``left`` and
``over`` are counted since that grant was confirmed. Of what earlier grants had given up, ``left``
keeps what the card had spent of it, unposted, when this one was signed.
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
_CONFIRMED = (
    "SELECT g.slot, g.grant_seq, g.order_id, g.grant_bytes, o.carried_over_cents, g.confirmed_at,"
    " g.state"
    " FROM card_grant g JOIN load_order o ON o.id = g.order_id"
    " WHERE g.purse_id = ? AND g.state IN ('on_card', 'superseded') ORDER BY g.grant_seq"
)


@dataclass(frozen=True, slots=True)
class _Confirmed:
    """The newest confirmed grant of a slot, and the last transfer before it was.

    ``kept``: cents that earlier grants had given up, though the card had spent them by then.
    """

    grant_seq: int = 0
    order: int = 0
    granted: int = 0
    since: int = 0
    kept: int = 0


_NONE = _Confirmed()


class SlotWatch:
    """Every purse that the ledger knows."""

    def __init__(
        self, ledger: LedgerWatch, purses: Mapping[PurseId, PurseTruth], declared: Declared
    ) -> None:
        self.postings = PostingWatch(ledger, purses, declared)
        self._ledger = ledger
        self._purses = purses
        self._declared = declared
        self._confirmed: defaultdict[int, dict[int, _Confirmed]] = defaultdict(dict)
        """By purse and slot."""
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
        on_card = {}
        for slot, seq, order, octets, carried, confirmed, state in sql.ask(_CONFIRMED, row):
            granted, spent = (int.from_bytes(bytes(octets)[at : at + 3], "big") for at in (14, 17))
            if state == "on_card":
                on_card[slot] = granted
            known = self._confirmed[row].get(slot, _NONE)
            if seq <= known.grant_seq:
                continue
            since = before or self._booked.get(str(order), 0)
            if not since:  # a grant of 0 cents, in books that are read anew
                ((since,),) = sql.ask(_BOOKED_BY, confirmed)
            gone = self._left(row, slot, known, since)
            gone -= self._over(slot, purse, postings, known, since)
            kept = max(0, gone - max(0, known.granted - spent - (carried or 0)))
            self._confirmed[row][slot] = _Confirmed(seq, order, granted, since, kept)
        for slot in sorted({*self._confirmed[row], *self._accounts[row]}):
            self._check_slot(row, purse, slot, on_card.get(slot, 0), postings)

    def _check_slot(
        self, row: int, purse: PurseId, slot: int, granted: int, postings: list[SeenPosting]
    ) -> None:
        newest = self._confirmed[row].get(slot, _NONE)
        posted = sum(part.cents for _, part in _parts(postings, slot))
        present = self._ledger.balance_of(self._accounts[row][slot])
        left = self._left(row, slot, newest, self._ledger.last)
        over = self._over(slot, purse, postings, newest, self._ledger.last)
        off = granted - (posted + present + left - over)
        if off:
            what = f"G {granted}, S {posted}, present {present}, left {left}, over {over}"
            raise breach("TOWN_SLOT_UNBALANCED", 1, f"{purse} slot {slot}", what, off)

    def _left(self, row: int, slot: int, grant: _Confirmed, until: int) -> int:
        """What the slot gave up since ``grant`` was confirmed, up to transfer ``until``."""
        return grant.kept + sum(
            cents
            for number, cents, order in self._gone[row, slot]
            if grant.since < number <= until and order != str(grant.order)
        )

    def _over(
        self, slot: int, purse: PurseId, postings: list[SeenPosting], grant: _Confirmed, until: int
    ) -> int:
        """What exposure lent meanwhile."""
        return sum(
            part.cents
            for posting, part in _parts(postings, slot)
            if grant.since < self._lent(posting, part, purse) <= until
        )

    def _lent(self, posting: SeenPosting, part: SeenPart, purse: PurseId) -> int:
        """The transfer by which exposure paid this part; 0 when it did not."""
        lent = self._ledger.lent
        if self._ledger.accounts[part.origin].kind != "exposure":
            return 0
        booked = max(lent.get(one, 0) for one in posting.documents(purse))
        return booked or lent.get(("case", str(posting.case)), 0)  # people gave it back


def _parts(postings: list[SeenPosting], slot: int) -> list[tuple[SeenPosting, SeenPart]]:
    """What was posted in a slot on the live chain."""
    return [
        (posting, part)
        for posting in postings
        for part in posting.parts
        if posting.live and part.slot == slot
    ]
