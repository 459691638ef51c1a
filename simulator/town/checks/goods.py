"""Goods against money: what cards paid, shops gave, and the town owes for it, sale by sale.

A sale is known by terminal, intent number and the start of the intent's hash: a till that was put
back to an older state gives a number twice. A chip's debit without goods is *owed*: the till
does not know yet, or the customer has not come back. Goods without a debit are astray at once.
At the end nobody is owed anything but by a till that is gone, or for a card that is; each honest
shop holds, in payable, in_payment, paid and suspense, what it gave away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cardlib.codec.purse import SpendType
from cardlib.wire.ids import PurseId
from simulator.errors import TownError
from simulator.town.checks.cards import CardChange
from simulator.town.checks.claims import Goods, Sale, check_accounts, check_claims
from simulator.town.checks.declared import Declared
from simulator.town.checks.evidence import breach
from simulator.town.checks.journals import SeenJournal
from simulator.town.checks.ledger import LedgerWatch
from simulator.town.checks.sql import Sql

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

    def check_end(
        self, sql: Sql, journals: Mapping[int, SeenJournal], *, concluded: bool
    ) -> None:  # fmt: skip
        """Zero cents astray; ``concluded``: everything has happened, and nothing is open."""
        gone = self.declared.lost_terminals | self.declared.restored_journals
        rogue = self.declared.rogue_purses
        doubtful = self._doubtful | {sale for sale, whose in self.purses.items() if whose in rogue}
        for sale, cents in sorted(self.owed.items()):
            known = sale[0] in gone | self.declared.rogue_terminals or sale in doubtful
            said = _said(sale, journals)  # by its own till
            lost = said == "unresolved" and self.purses[sale] in self.declared.out_of_reach
            if not known and not lost and said != "not_applied":
                raise _astray(sale, "the card paid, and no goods were given", cents)
        goods = Goods(self.given, self.owed, frozenset(doubtful), self.declared, frozenset(gone))
        check_claims(sql, goods, concluded=concluded)
        check_accounts(sql, self.ledger)

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


def _said(sale: Sale, journals: Mapping[int, SeenJournal]) -> str:
    """What its own till has signed of it last: that the card did not pay, and its money is due;
    that nobody knows; and so on."""
    journal = journals.get(sale[0])
    intent = journal.intents.get(sale[1]) if journal else None
    return intent.state if intent is not None and intent.hash[:8] == sale[2] else ""


def _astray(sale: Sale, what: str, cents: int) -> TownError:
    return breach("TOWN_GOODS_ASTRAY", 1, f"sale {sale[0]}:{sale[1]}", what, cents)
