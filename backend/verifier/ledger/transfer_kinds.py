"""A transfer's kind is a word for an event: what it may name, and which way its money goes."""

from collections.abc import Mapping

_SOURCES = ("committed", "refund_due", "blocked")
_SALE = frozenset({"entry", "record"})
Route = tuple[str, str]

KINDS: Mapping[str, tuple[frozenset[str], frozenset[Route] | None]] = {
    "funding": (frozenset({"funding"}), frozenset({("external", "fund")})),
    "funding_returned": (frozenset({"funding"}), frozenset({("fund", "external")})),
    "award": (frozenset({"award"}), frozenset({("fund", "committed")})),
    "award_withdrawn": (frozenset({"award"}), frozenset({("committed", "fund")})),
    "grant_signed": (frozenset({"order"}), frozenset((kind, "loading") for kind in _SOURCES)),
    "order_void": (frozenset({"order"}), frozenset(("loading", kind) for kind in _SOURCES)),
    "grant_confirmed": (frozenset({"order"}), frozenset({("loading", "on_card")})),
    "wallet_revived": (frozenset({"order"}), frozenset({("expired_pending", "on_card")})),
    "wallet_left": (frozenset({"order"}), None),
    "expired_pending": (frozenset({"expiry"}), None),
    "expired": (frozenset({"expiry"}), frozenset({("expired_pending", "expired")})),
    "expired_released": (frozenset({"expiry"}), frozenset({("expired", "fund")})),
    "card_blocked": (frozenset({"block"}), frozenset({("on_card", "blocked")})),
    "card_unblocked": (frozenset({"block"}), frozenset({("blocked", "on_card")})),
    "batch": (frozenset({"batch"}), frozenset({("payable", "in_payment")})),
    "line_held": (frozenset({"batch"}), frozenset({("in_payment", "payable")})),
    "paid": (frozenset({"outcome"}), frozenset({("in_payment", "paid")})),
    "failed": (frozenset({"outcome", "batch"}), frozenset({("in_payment", "payable")})),
    "return_agreed": (frozenset({"return"}), frozenset({("payable", "refund_due")})),
    "return_repaid": (frozenset({"return"}), frozenset({("paid", "payable")})),
    "case_closed": (frozenset({"case"}), None),
    "case_covered": (frozenset({"case"}), None),
    **dict.fromkeys(
        (
            "sale_proven", "sale_unproven", "later_proven", "disproved", "not_applied_proven",
            "amount_corrected", "suspended", "void_proven", "void_unproven", "fork_dead",
        ),
        (_SALE, None),
    ),
}  # fmt: skip
"""By kind: the documents it may name, and its ways where it has few of its own."""


def is_of_kind(kind: str, document: str, route: Route) -> bool | None:
    """Whether a transfer of ``kind`` may name such a document and go that way; None: unknown."""
    if kind not in KINDS:
        return None
    documents, routes = KINDS[kind]
    return document in documents and (routes is None or route in routes)
