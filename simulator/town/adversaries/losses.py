"""Whether somebody honest has lost money: goods given for vouchers that nobody owes or has paid.

No row of PROTOCOL 8 lets a shop lose anything: what cannot be proven waits in suspense until
people decide, and they pay for goods that truly went.
"""

from collections import Counter

from simulator.town.checks.goods import SUSPENDED
from simulator.town.state import Town

_CLAIMS = (
    "SELECT merchant_id, sum(balance_cents) FROM account"
    " WHERE kind IN ('payable', 'in_payment', 'paid') GROUP BY merchant_id"
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
    untold = town.declared.rogue_terminals | town.declared.lost_terminals
    gave = Counter[str]()
    for item in town.truth.deliveries:
        if item.terminal not in untold:
            gave[item.shop] += item.cents
    lost = {shop: cents - holds[town.founding.merchants[shop]] for shop, cents in gave.items()}
    return {shop: cents for shop, cents in lost.items() if cents > 0}
