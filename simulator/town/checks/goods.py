"""Goods against money: what cards paid, shops gave, and the town owes for it, sale by sale.

A sale is known by terminal, intent number and the start of the intent's hash: a till that was put
back to an older state gives a number twice. A chip's debit without goods is *owed*: the till
does not know yet, or the customer has not come back. Goods without a debit are astray at once.
At the end nobody is owed anything but by a till that is gone; each honest shop holds, in payable,
in_payment, paid and suspense, what it gave away.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cardlib.codec.purse import SpendType
from cardlib.wire.ids import PurseId
from simulator.errors import TownError
from simulator.town.checks.cards import CardChange
from simulator.town.checks.declared import Declared
from simulator.town.checks.evidence import TillSeen, breach
from simulator.town.checks.journals import SeenJournal
from simulator.town.checks.ledger import LedgerWatch
from simulator.town.checks.sql import Sql

Sale = tuple[int, int, bytes]
"""Terminal, number of the intent, and the first eight bytes of its hash, as on the card."""
_CLAIMS = frozenset({"payable", "in_payment", "paid", "suspense"})
_SALES = (
    "SELECT p.terminal, p.intent_seq, substr(r.record, 5, 8) FROM posting p JOIN card_record r"
    " ON (r.purse_id, r.ctr, r.record_hash) = (p.purse_id, p.ctr, p.record_hash) WHERE "
)
_REFUNDED = _SALES + "p.reason = 'SALE_NOT_APPLIED'"
_HELD_BACK = _SALES + (  # noqa: S608 - constants
    "p.is_void AND p.live AND (p.state = 'unproven'"
    " OR p.reason IN ('SALE_ENTRY_MISSING', 'SALE_JOURNAL_OTHER', 'VOID_AFTER_CLOSE'))"
    " AND NOT EXISTS (SELECT 1 FROM suspense_case c"
    " WHERE c.id = p.case_id AND c.decision = 'return')"
)
"""Voids that gave nothing back yet: nobody has proven them, and no people have released them."""
_LIVE = _SALES + (  # noqa: S608 - constants
    "p.live AND (NOT p.amount_open OR EXISTS (SELECT 1 FROM posting_part WHERE posting_id = p.id))"
)
SUSPENDED = (
    "SELECT t.merchant_id, sum(pp.cents) FROM posting p"
    " JOIN posting_part pp ON pp.posting_id = p.id"
    " JOIN account a ON a.id = pp.holder_id JOIN terminal t ON t.number = p.terminal"
    " WHERE a.kind = 'suspense' GROUP BY t.merchant_id"
)
"""By merchant: cents of its sales that lie in suspense."""


@dataclass(slots=True)
class GoodsWatch:
    """Every sale of the town. ``debited``: cents that chips wrote; ``given``: of goods."""

    declared: Declared
    ledger: LedgerWatch
    debited: dict[Sale, int] = field(default_factory=dict)
    purses: dict[Sale, PurseId] = field(default_factory=dict)
    given: dict[Sale, int] = field(default_factory=dict)
    owed: dict[Sale, int] = field(default_factory=dict)
    """Cents that a card paid and for which no goods changed hands yet."""
    _doubtful: set[Sale] = field(default_factory=set)
    """Sales to a rogue purse, real or emulated: who is paid for them nobody can foretell."""
    _read: int = 0

    def check(self, changes: Iterable[CardChange], journals: Mapping[int, SeenJournal]) -> None:
        """New debits and new goods; TownError ``TOWN_GOODS_ASTRAY``."""
        for change in changes:
            for written in change.written:
                spend = written.spend
                if spend.type != SpendType.INIT:
                    sale = spend.terminal, spend.seq, spend.intent_hash
                    self._debit(sale, written.cents, change.truth.purse)
        deliveries = self.declared.deliveries
        for delivery in deliveries[self._read :]:
            sale = delivery.terminal, delivery.seq, delivery.intent
            if sale in self.given:
                raise _astray(sale, "goods changed hands twice", delivery.cents)
            self.given[sale] = delivery.cents
            self._compare(sale, journals)
        self._read = len(deliveries)

    def check_end(self, sql: Sql, tills: Iterable[TillSeen]) -> None:
        """Zero cents astray."""
        refunded = _sales(sql, _REFUNDED)
        lost = self._without_journal() | self.declared.rogue_terminals
        for sale, cents in sorted(self.owed.items()):
            excused = sale in refunded or sale[0] in lost
            if not excused and self.purses[sale] not in self.declared.rogue_purses:
                raise _astray(sale, "the card paid, and no goods were given", cents)
        rogue = self.declared.rogue_purses
        self._doubtful |= {sale for sale, purse in self.purses.items() if purse in rogue}
        self._check_shops(sql, tills)

    def _debit(self, sale: Sale, cents: int, purse: PurseId) -> None:
        if sale in self.debited and purse not in self.declared.rogue_purses:
            raise breach(
                "TOWN_UNKNOWN_GUESSED",
                4,
                f"{sale[0]}:{sale[1]}",
                "two records of one intent",
                cents,
            )
        self.debited[sale], self.purses[sale] = cents, purse
        if sale not in self.given:
            self.owed[sale] = cents
        elif self.given[sale] == cents:
            self.owed.pop(sale, None)

    def _compare(self, sale: Sale, journals: Mapping[int, SeenJournal]) -> None:
        given, paid = self.given[sale], self.debited.get(sale)
        if self._is_rogue(sale, journals):
            self._doubtful.add(sale)
            return
        if paid is None:
            raise _astray(sale, "goods were given that no card has paid", given)
        if paid != given:
            raise _astray(sale, f"goods for {given} were given, the card paid {paid}", given - paid)
        self.owed.pop(sale, None)

    def _is_rogue(self, sale: Sale, journals: Mapping[int, SeenJournal]) -> bool:
        journal = journals.get(sale[0])
        intent = journal.intents.get(sale[1]) if journal else None
        known = intent is not None and intent.hash.startswith(sale[2])
        purse = intent.purse if intent and known else self.purses.get(sale)
        return sale[0] in self.declared.rogue_terminals or purse in self.declared.rogue_purses

    def _check_shops(self, sql: Sql, tills: Iterable[TillSeen]) -> None:
        """What each honest merchant holds is what its tills gave away or still owe.

        Of a till that burnt, was stolen or forgot, that is what some card or its journal has told.
        """
        lost = self._without_journal()
        doubtful = self.declared.rogue_terminals | {
            sale[0] for sale in self.owed if sale[0] in lost
        }
        merchants = {till.terminal: till.merchant for till in tills}
        excused = {merchants[number] for number in doubtful if number in merchants}
        excused |= {merchants.get(sale[0], 0) for sale in self._doubtful}
        gave = Counter[int]()
        known = _sales(sql, _LIVE)
        told = {
            sale: cents
            for sale, cents in (self.given | self.owed).items()
            if sale[0] not in lost or sale in known  # what burnt, and no card tells of
        }
        for sale, cents in told.items():
            gave[merchants.get(sale[0], 0)] += cents
        for (terminal, _, _), cents in self._refunds(sql).items():
            gave[merchants.get(terminal, 0)] -= cents
        for sale in _sales(
            sql, _HELD_BACK
        ):  # what a void has not given back: proof or people are due
            gave[merchants.get(sale[0], 0)] -= told.get(sale, 0)
        holds = Counter[int](dict(sql.ask(SUSPENDED)))
        for account in self.ledger.accounts.values():
            if account.merchant is not None and account.kind in _CLAIMS:
                holds[account.merchant] += self.ledger.balances[account.id]
        for merchant in sorted({*gave, *holds} - excused):
            off = holds[merchant] - gave[merchant]
            if off:
                what = f"it holds {holds[merchant]} for goods of {gave[merchant]}"
                raise breach("TOWN_GOODS_ASTRAY", 1, f"merchant {merchant}", what, off)

    def _without_journal(self) -> set[int]:
        """Tills of which some entries can never come."""
        return self.declared.lost_terminals | self.declared.restored_journals

    def _refunds(self, sql: Sql) -> dict[Sale, int]:
        refunded = _sales(sql, _REFUNDED)
        return {sale: cents for sale, cents in self.owed.items() if sale in refunded}


def _sales(sql: Sql, query: str) -> set[Sale]:
    return {(terminal, seq, bytes(intent)) for terminal, seq, intent in sql.ask(query)}


def _astray(sale: Sale, what: str, cents: int) -> TownError:
    return breach("TOWN_GOODS_ASTRAY", 1, f"sale {sale[0]}:{sale[1]}", what, cents)
