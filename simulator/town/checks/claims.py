"""Zero cents astray, sale by sale: what the books hold for each is the goods that changed hands.

A sale's claim is what its posting put into its merchant's *payable* or into suspense, whether it
was paid since or not; a void's is below zero. A card that paid for no goods gives no claim in the
end, whatever the reason that the books name. Nothing is known of who would be paid for a sale to
a purse of which more than one chip speaks, or at an adversary's till: that sale is left out, not
its shop; so is one of a till that burnt, when its card has lost the record before it, so that
nobody can tell the amount. All claims of a merchant together are what its accounts hold.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from cardlib.wire.ids import PurseId
from simulator.errors import TownError
from simulator.town.checks.declared import Declared
from simulator.town.checks.evidence import breach
from simulator.town.checks.ledger import LedgerWatch
from simulator.town.checks.sql import Sql

Sale = tuple[int, int, bytes]
"""Terminal, number of the intent, and the first eight bytes of its hash, as on the card."""
_OWED = frozenset({"payable", "in_payment", "paid"})
_CLAIMS = (
    "SELECT m.issuer, p.number, s.terminal, s.intent_seq, substr(r.record, 5, 8), s.is_void,"
    " s.amount_open,"
    " coalesce(sum("
    " CASE WHEN a.kind IN ('payable', 'suspense') THEN pp.cents ELSE 0 END), 0) FROM posting s"
    " JOIN purse p ON p.id = s.purse_id JOIN municipality m ON m.id = p.municipality_id"
    " JOIN card_record r ON (r.purse_id, r.ctr, r.record_hash) = (s.purse_id, s.ctr, s.record_hash)"
    " LEFT JOIN posting_part pp ON pp.posting_id = s.id"
    " LEFT JOIN account a ON a.id = pp.holder_id WHERE s.intent_seq IS NOT NULL GROUP BY s.id"
)
_PAYABLE = (
    "SELECT a.merchant_id, sum(pp.cents) FROM posting_part pp JOIN account a"
    " ON a.id = pp.holder_id WHERE a.kind = 'payable' GROUP BY a.merchant_id"
)
_RETURNED = "SELECT 1 FROM goods_return LIMIT 1"


@dataclass(frozen=True, slots=True)
class Goods:
    """What truly happened, by sale: ``given`` for vouchers, ``owed`` paid and not given."""

    given: Mapping[Sale, int]
    owed: Mapping[Sale, int]
    doubtful: frozenset[Sale]
    declared: Declared
    gone: frozenset[int]
    """Tills of which some entries can never come."""


def check_claims(sql: Sql, goods: Goods, *, concluded: bool) -> None:
    """Every sale; TownError ``TOWN_GOODS_ASTRAY``. ``concluded``: nothing is open any more."""
    claims: dict[Sale, int] = {}
    voids, doubtful, rogue = set[Sale](), set(goods.doubtful), goods.declared.rogue_terminals
    untold = set[Sale]()
    for issuer, number, terminal, seq, intent, is_void, amount_open, cents in sql.ask(_CLAIMS):
        sale = terminal, seq, bytes(intent)
        claims[sale] = claims.get(sale, 0) + cents
        if is_void:
            voids.add(sale)
        if amount_open and not cents and terminal in goods.gone:
            untold.add(sale)
        if PurseId(bytes(issuer), bytes(number)) in goods.declared.rogue_purses:
            doubtful.add(sale)
    for sale in sorted({*claims, *goods.given} - doubtful - untold):
        if sale[0] in rogue:
            continue
        cents = goods.given.get(sale, 0)
        if claims.get(sale, 0) == cents or (sale not in claims and sale[0] in goods.gone):
            continue  # as it should be; or what burnt, and no card tells of
        waits = sale in goods.owed and claims.get(sale) == goods.owed[sale]
        held = claims.get(sale) == 0 and (cents < 0 or sale in voids)
        if (waits or held) and (not concluded or sale[0] in goods.gone):
            continue  # proof or people are due
        what = f"the books hold {claims.get(sale, 0)} for goods of {cents}"
        place = f"sale {sale[0]}:{sale[1]}"
        raise _astray(place, what, claims.get(sale, 0) - cents)


def check_accounts(sql: Sql, ledger: LedgerWatch) -> None:
    """What each merchant's accounts hold is its claims; TownError ``TOWN_GOODS_ASTRAY``."""
    if sql.ask(_RETURNED):
        return
    holds = Counter[int]()
    for account in ledger.accounts.values():
        if account.merchant is not None and account.kind in _OWED:
            holds[account.merchant] += ledger.balances[account.id]
    claims = Counter[int](dict(sql.ask(_PAYABLE)))
    for merchant in sorted({*holds, *claims}):
        off = holds[merchant] - claims[merchant]
        if off:
            what = f"it holds {holds[merchant]} for claims of {claims[merchant]}"
            raise _astray(f"merchant {merchant}", what, off)


def _astray(subject: str, what: str, cents: int) -> TownError:
    return breach("TOWN_GOODS_ASTRAY", 1, subject, what, cents)
