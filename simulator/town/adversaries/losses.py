"""Whether somebody honest has lost money: goods given for vouchers that nobody owes or has paid.

No row of PROTOCOL 8 lets a shop lose anything but one: what cannot be proven waits in suspense
until people decide, and they pay for goods that truly went. Of a sale to an emulated purse (row 4),
which no card ever proves, a shop is owed no more than the true card's totals bear.
"""

from collections import Counter
from collections.abc import Collection

from simulator.town.checks.goods import SUSPENDED
from simulator.town.state import Town

_CLAIMS = (
    "SELECT merchant_id, sum(balance_cents) FROM account"
    " WHERE kind IN ('payable', 'in_payment', 'paid') GROUP BY merchant_id"
)
_HELD = (
    "SELECT s.terminal, s.intent_seq, sum(pp.cents) FROM posting s"
    " JOIN posting_part pp ON pp.posting_id = s.id JOIN account a ON a.id = pp.holder_id"
    " WHERE a.kind IN ('payable', 'suspense') GROUP BY s.id"
)


def shop_losses(
    town: Town, uncertified: Collection[tuple[int, int]] = frozenset()
) -> dict[str, int]:
    """By honest shop: cents of its goods that it neither was paid nor may still claim.

    What went with a till that burnt or was stolen nobody can tell, and rogue tills give nothing.
    ``uncertified``: sales, by terminal and intent, of which a shop is owed what the books hold.
    """
    with town.engine.connect() as connection:
        holds = Counter[int]()
        for query in (_CLAIMS, SUSPENDED):
            for merchant, cents in connection.exec_driver_sql(query):
                holds[merchant] += cents
        held = {
            (terminal, seq): cents for terminal, seq, cents in connection.exec_driver_sql(_HELD)
        }
    untold = town.declared.rogue_terminals | town.declared.lost_terminals
    gave = Counter[str]()
    for item in town.truth.deliveries:
        sale = item.terminal, item.seq
        if item.terminal not in untold:
            gave[item.shop] += held.get(sale, 0) if sale in uncertified else item.cents
    lost = {shop: cents - holds[town.founding.merchants[shop]] for shop, cents in gave.items()}
    return {shop: cents for shop, cents in lost.items() if cents > 0}
