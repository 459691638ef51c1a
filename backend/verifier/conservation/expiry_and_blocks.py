"""Law 1 for wallets that expired or were blocked: what the calendar and a lost card move.

An expiry names a grant, whose signed bytes say its last day: before the midnight after it
nothing may expire. That late sales were given their time is the backend's word. A block is
a row of its purse; only that purse's money moves by it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from backend.verifier.conservation.returns import RETURN_REF
from backend.verifier.export.civil_days import midnight_after
from backend.verifier.export.people import are_two
from backend.verifier.export.reader import Export, Row
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.grants.grants import Grant, Grants, Order
from backend.verifier.ledger.ledger import SLOT_KINDS, Ledger, Transfer
from backend.verifier.registry import PurseKey
from backend.verifier.workbook import Workbook

_DAY_ZERO = date(2020, 1, 1)
"""Grants count their days from here."""
_LAST_DAY = slice(12, 14)
_EXPIRES = frozenset(
    {
        ("on_card", "expired_pending"), ("blocked", "expired_pending"),
        ("expired_pending", "expired"), ("expired", "fund"),
    }
)  # fmt: skip
_BLOCKS, _UNBLOCKS = ("on_card", "blocked"), ("blocked", "on_card")


@dataclass(frozen=True, slots=True)
class _Block:
    """A card declared lost, from and to in Unix seconds."""

    purse: PurseKey
    begun: int
    ended: int | None


class WalletAudit:
    """Judges transfers that name an expiry, a block, or an order of a replacement."""

    def __init__(self, grants: Grants, ledger: Ledger, book: Workbook, findings: Findings) -> None:
        self._grants = grants
        self._ledger = ledger
        self._book = book
        self._findings = findings
        self._blocked: set[PurseKey] = set()
        self._refunded: Counter[tuple[str, int]] = Counter()
        """Cents by document and slot."""

    def check(self, export: Export) -> None:
        """Every such document; one that the export does not show stays unjudged."""
        for row in export.rows("purses.jsonl"):
            for block in row["blocks"] or ():
                self._check_end(row, block)
                self._block(row, block)
        for (document,) in self._book.ask(
            "SELECT DISTINCT ref_id FROM transfer WHERE ref_kind = 'expiry'"
        ):
            self._expiry(document)
        for order in self._grants.orders.values():
            if order.source == "replacement" and order.delta:
                self._replacement(order)
            if order.source == "refund" and self._counts(order):
                self._refund(order)

    def _check_end(self, row: Row, block: dict[str, Any]) -> None:
        """Blocked by one, opened again by two; blocks from before that was so name only one."""
        if block["to"] is None:
            return
        if block["ended_by"] and block["end_approved_by"] is None:
            self._findings.trust("UNBLOCKED_BY_ONE")
        elif not are_two(block["ended_by"], block["end_approved_by"]):
            place = row.place(f"block {block['block']}")
            self._findings.add(Law.CONSERVATION, "BLOCK_ENDED_BY_ONE", place, block=block["block"])

    def _expiry(self, document: str) -> None:
        grant = self._grant(document)
        if grant is None or not grant.confirmed:
            return
        transfers = self._ledger.of("expiry", document)
        place = Place("transfers.jsonl", transfers[0].line, document=f"expiry {document}")
        last_day = int.from_bytes(grant.row["grant"][_LAST_DAY], "big")
        midnight = midnight_after(_DAY_ZERO + timedelta(days=last_day))
        self._findings.trust("BOOKED_BY_EXPIRY")
        if not all(_of_wallet(t, grant.purse, grant.slot) and _way(t) in _EXPIRES
                   for t in transfers):  # fmt: skip
            self._add("EXPIRY_OTHER_WALLET", place, document=document)
        early = [t.id for t in transfers if t.booked_at < midnight]
        if early:
            self._add("EXPIRED_TOO_EARLY", place, transfer=early[0])
        if any(cents < 0 for cents in _through_expired(transfers).values()):
            self._add("EXPIRY_GIVES_TOO_MUCH", place, document=document)

    def _grant(self, document: str) -> Grant | None:
        issuer, purse, seq = (*document.split(":"), "", "")[:3]
        try:
            key = (bytes.fromhex(issuer), bytes.fromhex(purse))
            return self._grants.by_number.get((key, int(seq)))
        except ValueError:
            return None

    def _block(self, row: Row, block: dict[str, object]) -> None:
        number, ended = str(block["block"]), block["to"]
        assert isinstance(block["from"], int)
        known = _Block(
            (row["issuer"], row["purse"]), block["from"], ended if isinstance(ended, int) else None
        )
        place = row.place(f"block {number}")
        if not self._findings.once(self._book, "block", number, place):
            return
        self._blocked.add(known.purse)
        self._findings.trust("CARD_BLOCKED")
        for transfer in self._ledger.of("block", number):
            if not _by_block(transfer, known):
                self._add("BLOCK_OTHER_CARD", place, transfer=transfer.id, block=number)

    def _replacement(self, order: Order) -> None:
        """Its money comes from the wallet, in the same slot, of a purse that was blocked."""
        place = order.row.place(f"order {order.id}")
        lost = _purse_of(order.row["source_ref"])
        paid = [
            account
            for transfer in self._ledger.of("order", order.id)
            for account in (transfer.source, transfer.target)
            if account.kind == "blocked" and account.purse != order.purse
        ]
        ours = all((account.purse, account.slot) == (lost, order.slot) for account in paid)
        if lost not in self._blocked or lost == order.purse or not ours:
            self._add("REPLACEMENT_OTHER_CARD", place, order=order.id)

    def _counts(self, order: Order) -> bool:
        return any(grant.counts for grant in self._grants.by_order.get(order.id, ()))

    def _refund(self, order: Order) -> None:
        """Onto the purse that paid, or what replaced it; in its slot, and no more than is due."""
        document = order.row["source_ref"] or ""
        if document.startswith(RETURN_REF):
            return
        self._refunded[document, order.slot] += order.delta
        due = self._book.ask(
            "SELECT issuer, purse, cents FROM due WHERE document = ? AND slot = ?",
            (document, order.slot),
        )
        purse, cents = ((due[0][0], due[0][1]), due[0][2]) if due else (None, 0)
        ours = purse == order.purse or purse in self._blocked
        if not ours or self._refunded[document, order.slot] > cents:
            place = order.row.place(f"order {order.id}")
            self._add("REFUND_WITHOUT_CLAIM", place, order=order.id)

    def _add(self, code: str, place: Place, **facts: str | int) -> None:
        self._findings.add(Law.CONSERVATION, code, place, **facts)


def _way(transfer: Transfer) -> tuple[str, str]:
    return transfer.source.kind, transfer.target.kind


def _of_wallet(transfer: Transfer, purse: PurseKey, slot: int) -> bool:
    ends = (transfer.source, transfer.target)
    return all((end.purse, end.slot) == (purse, slot) for end in ends if end.kind in SLOT_KINDS)


def _through_expired(transfers: Sequence[Transfer]) -> Counter[str]:
    """What the document left in each account ``expired``: it gives on what it put there."""
    held: Counter[str] = Counter()
    for transfer in transfers:
        for account, cents in (
            (transfer.target, transfer.cents),
            (transfer.source, -transfer.cents),
        ):
            if account.kind == "expired":
                held[account.id] += cents
    return held


def _by_block(transfer: Transfer, block: _Block) -> bool:
    ends = (transfer.source, transfer.target)
    same = all(end.purse == block.purse for end in ends) and ends[0].slot == ends[1].slot
    if _way(transfer) == _BLOCKS:
        return same and transfer.booked_at >= block.begun
    return (
        same
        and _way(transfer) == _UNBLOCKS
        and (block.ended is not None and transfer.booked_at >= block.ended)
    )


def _purse_of(reference: str | None) -> PurseKey | None:
    issuer, _, purse = (reference or "").partition(":")
    try:
        return bytes.fromhex(issuer), bytes.fromhex(purse)
    except ValueError:
        return None
