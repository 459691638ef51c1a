"""The ways that cents may go from one kind of account to another: PROTOCOL 7, written down again.

The verifier has a table of its own: what one of them forgets, the other still knows.
"""

PRESENT = frozenset({"on_card", "expired_pending", "blocked"})
"""Kinds of account in which a wallet's money lies."""
_PAYS = PRESENT | {"exposure"}
"""What a sale is posted from, and what a void gives back to."""
_CLAIMED = frozenset({"payable", "suspense", "refund_due"})
"""What a sale is posted to."""

_TOWN_HALL = {
    "external": {"fund"},  # funding
    "fund": {"external", "committed", "exposure"},  # returned to the funder, award, cover
    "committed": {"fund", "loading"},  # withdrawn, grant signed
    "refund_due": {"loading"},
    "loading": {"on_card", "committed", "refund_due", "blocked"},  # confirmed; order void
    "loss": {"exposure"},
    "exposure": {"fund", "loss"},  # a cover that a void gives back
    "expired": {"fund"},
}
_WALLET = {
    "on_card": {"exposure", "expired_pending", "expired", "blocked"},
    "expired_pending": {"on_card", "expired", "exposure"},
    "blocked": {"on_card", "expired_pending", "exposure", "loading"},  # unblocked, replaced
    "exposure": PRESENT,
}
_MERCHANT = {
    "suspense": {"payable", "refund_due"},
    "payable": {"suspense", "refund_due", "in_payment"},  # unproven, return agreed, batch
    "in_payment": {"paid", "payable"},
    "paid": {"payable"},  # the merchant repays
}

ROUTES = frozenset(
    [
        *((source, one) for table in (_TOWN_HALL, _WALLET, _MERCHANT)
          for source, targets in table.items() for one in targets),
        *((wallet, claim) for wallet in _PAYS for claim in _CLAIMED),  # a sale
        *((claim, wallet) for wallet in _PAYS for claim in _CLAIMED),  # a void
    ]
)  # fmt: skip
