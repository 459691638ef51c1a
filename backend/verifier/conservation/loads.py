"""Law 1 from the fund to the card: fundings, awards and orders against the ledger."""

from collections import Counter

from backend.verifier.export.reader import Export, Row
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.grants.awards import Award, rests_of
from backend.verifier.grants.given_up import GivenUp
from backend.verifier.grants.grants import Grant, Grants, Order
from backend.verifier.ledger.demands import booked, compare
from backend.verifier.ledger.ledger import SLOT_KINDS, Account, Ledger, Pool, pool_of, spot_of
from backend.verifier.workbook import Workbook

_SOURCES = {"award": "committed", "refund": "refund_due", "replacement": "blocked"}


class LoadAudit:
    """Adds up, for each document, what its transfers did to each kind of account."""

    def __init__(self, grants: Grants, ledger: Ledger, book: Workbook, findings: Findings) -> None:
        self._grants = grants
        self._ledger = ledger
        self._given_up = GivenUp(grants, ledger, book)
        self._book = book
        self._findings = findings
        self.funded: Counter[Pool] = Counter()

    def check(self, export: Export, awards: dict[str, Award]) -> None:
        """Judges every funding, award and order of the export."""
        for row in export.rows("fundings.jsonl"):
            self._funding(row)
        for number, award in awards.items():
            self._pool_document("award", number, award.row, ("fund", "committed"), award.cents)
        for order in self._grants.orders.values():
            self._order(order)

    def _funding(self, row: Row) -> None:
        number, cents = row["funding"], row["amount_cents"]
        if not self._findings.once(self._book, "funding", number, row.place(f"funding {number}")):
            return
        self.funded[pool_of(row)] += cents
        self._pool_document("funding", number, row, ("external", "fund"), cents)

    def _pool_document(
        self, kind: str, number: str, row: Row, route: tuple[str, str], cents: int
    ) -> None:
        """A document that moves ``cents`` from one kind of account to another of one pool."""
        pool, transfers = pool_of(row), self._ledger.of(kind, number)
        demanded = Counter({spot_of(route[0], pool): -cents, spot_of(route[1], pool): cents})
        found = booked(transfers, lambda account: spot_of(account.kind, account.pool))
        compare(self._findings, row.place(f"{kind} {number}"), demanded, found, transfers)

    def _order(self, order: Order) -> None:
        transfers = self._ledger.of("order", order.id)
        place = order.row.place(f"order {order.id}")
        grant = next((g for g in self._grants.by_order.get(order.id, ()) if g.counts), None)
        found = booked(transfers, lambda account: _spot(account, order))
        demanded: Counter[str] = Counter()
        if grant is not None:
            demanded[spot_of(_SOURCES[order.source], order.pool)] = -order.delta
            demanded[spot_of("loading", order.pool)] = order.delta
        if grant is not None and grant.confirmed:
            self._check_confirmed_by(grant, place)
            self._confirm(grant, order, demanded)
        compare(self._findings, place, demanded, found, transfers)

    def _confirm(self, grant: Grant, order: Order, demanded: Counter[str]) -> None:
        """What a confirmed grant moves besides its delta: the rest of the old wallet."""
        before = self._grants.before(grant)
        left = 0
        if before is not None and before.confirmed:
            rests = rests_of(self._given_up, before, grant)
            left = min(max(0, rest - order.carried) for rest in rests)
        demanded[spot_of("loading", order.pool)] -= order.delta
        demanded["wallet"] += order.delta - left
        demanded["expired"] += left

    def _check_confirmed_by(self, grant: Grant, place: Place) -> None:
        kind, _, rest = (grant.row["confirmed_by"] or "").partition(":")
        if kind == "session" and rest:
            self._findings.trust("CONFIRMED_BY_SESSION")
            return
        terminal, _, seq = rest.partition(":")
        known = (
            kind == "entry"
            and terminal.isdecimal()
            and self._book.ask(
                "SELECT 1 FROM entry WHERE terminal = ? AND seq = ? AND kept", (terminal, seq)
            )
        )
        if not known:
            self._findings.add(
                Law.CONSERVATION, "CONFIRMED_BY_NOBODY", place, order=grant.order, grant=grant.seq
            )


def _spot(account: Account, order: Order) -> str:
    """The wallet of the order in one heap, the rest by kind and pool."""
    if account.kind in SLOT_KINDS and (account.purse, account.slot) == (order.purse, order.slot):
        return "wallet"
    if account.kind == "expired":
        return account.kind
    return spot_of(account.kind, account.pool[1:])
