"""Whether somebody honest has lost money: goods given for vouchers that nobody owes or has paid.

No row of PROTOCOL 8 lets a shop lose anything but one: what cannot be proven waits in suspense
until people decide, and they pay for goods that truly went. Of a sale to an emulated purse (row 4),
which no card ever proves, a shop is owed no more than the true card's totals bear.
"""

from collections import Counter

from cardlib.wire.ids import PurseId
from simulator.town.checks.goods import SUSPENDED
from simulator.town.state import Town

_CLAIMS = (
    "SELECT merchant_id, sum(balance_cents) FROM account"
    " WHERE kind IN ('payable', 'in_payment', 'paid') GROUP BY merchant_id"
)
_UNPROVEN = (
    "SELECT s.terminal, s.intent_seq, m.issuer, p.number FROM posting s"
    " JOIN purse p ON p.id = s.purse_id JOIN municipality m ON m.id = p.municipality_id"
    " WHERE s.state <> 'proven'"
)


def shop_losses(town: Town) -> dict[str, int]:
    """By honest shop: cents of its goods that it neither was paid nor may still claim.

    What went with a till that burnt or was stolen nobody can tell, and rogue tills give nothing.
    """
    with town.engine.connect() as connection:
        holds = Counter[int]()
        for query in (_CLAIMS, SUSPENDED):
            for merchant, cents in connection.exec_driver_sql(query):
                holds[merchant] += cents
        not_owed = {
            (terminal, seq)
            for terminal, seq, issuer, number in connection.exec_driver_sql(_UNPROVEN)
            if PurseId(bytes(issuer), bytes(number)) in town.declared.rogue_purses
        }
    untold = town.declared.rogue_terminals | town.declared.lost_terminals
    gave = Counter[str]()
    for item in town.truth.deliveries:
        if item.terminal not in untold and (item.terminal, item.seq) not in not_owed:
            gave[item.shop] += item.cents
    lost = {shop: cents - holds[town.founding.merchants[shop]] for shop, cents in gave.items()}
    return {shop: cents for shop, cents in lost.items() if cents > 0}
