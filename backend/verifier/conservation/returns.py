"""Law 1 for goods that came back: payable → refund_due, then a grant; or paid → payable first."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from backend.verifier.export.reader import Export, Row
from backend.verifier.findings import Findings, Law
from backend.verifier.grants.grants import Grants, by_two_people
from backend.verifier.ledger.demands import booked, compare
from backend.verifier.ledger.ledger import Account, Ledger, pool_of, spot_of
from backend.verifier.workbook import Workbook

RETURN_REF = "return:"


@dataclass(frozen=True, slots=True)
class GoodsReturn:
    """A return: what its merchant owes for it, in cents."""

    row: Row
    entry: str
    merchant: str
    cents: int
    repaid: bool


class ReturnAudit:
    """Judges every return; each sale and each case was judged before."""

    def __init__(self, grants: Grants, ledger: Ledger, book: Workbook, findings: Findings) -> None:
        self._grants = grants
        self._ledger = ledger
        self._book = book
        self._findings = findings
        self.by_number: dict[str, GoodsReturn] = {}

    def check(self, export: Export) -> None:
        """Returns against sales and transfers, then load orders against returns."""
        for row in export.rows("returns.jsonl"):
            place = row.place(f"return {row['return']}")
            if not self._findings.once(self._book, "return", row["return"], place):
                continue
            self.by_number[row["return"]] = GoodsReturn(
                row, row["entry"], row["merchant"], row["amount_cents"], bool(row["repaid_ref"])
            )
            self._check_booked(row)
            self._findings.trust("APPROVED_BY_WORD")
            if not by_two_people(row):
                self._add("RETURN_ONE_PERSON", row)
        self._check_sales()
        self._check_orders()

    def _check_booked(self, row: Row) -> None:
        cents = row["amount_cents"]
        demanded: Counter[str] = Counter()
        demanded[f"payable {row['merchant']}"] = -cents
        demanded[spot_of("refund_due", pool_of(row))] = cents
        if row["repaid_ref"]:
            demanded[f"payable {row['merchant']}"] += cents
            demanded[f"paid {row['merchant']}"] = -cents
            self._findings.trust("RETURN_REPAID")
        transfers = self._ledger.of("return", row["return"])
        place = row.place(f"return {row['return']}")
        compare(self._findings, place, demanded, booked(transfers, _spot), transfers)

    def _check_sales(self) -> None:
        """No more comes back of a sale than its merchant was owed for it."""
        back: Counter[str] = Counter()
        for item in self.by_number.values():
            back[item.entry] += item.cents
            owed = self._book.ask("SELECT merchant, cents FROM owed WHERE entry = ?", (item.entry,))
            if not owed or owed[0][0] != item.merchant:
                self._add("RETURN_WITHOUT_SALE", item.row)
            elif back[item.entry] > owed[0][1]:
                self._add("RETURN_ABOVE_SALE", item.row)

    def _check_orders(self) -> None:
        """A return is granted once, in the slot and of the pot that paid for it."""
        granted: Counter[str] = Counter()
        for number, slot, pool, cents, row in self._orders():
            item = self.by_number.get(number)
            if item is None or (slot, pool) != (item.row["slot"], pool_of(item.row)[1:]):
                self._findings.add(
                    Law.GRANTED, "ORDER_WITHOUT_RETURN", row.place(f"order {row['order']}"),
                    id=row["order"],
                )  # fmt: skip
                continue
            granted[number] += cents
            if granted[number] > item.cents:
                self._add("RETURN_GRANTED_TWICE", item.row)

    def _orders(self) -> Iterator[tuple[str, int, tuple[int, str], int, Row]]:
        """Orders with a grant that counts: return, slot, pot, cents."""
        for order in self._grants.orders.values():
            reference = order.row["source_ref"] or ""
            counts = any(grant.counts for grant in self._grants.by_order.get(order.id, ()))
            if counts and order.source == "refund" and reference.startswith(RETURN_REF):
                number = reference.removeprefix(RETURN_REF)
                yield number, order.slot, order.pool, order.delta, order.row

    def _add(self, code: str, row: Row) -> None:
        document = f"return {row['return']}"
        self._findings.add(Law.CONSERVATION, code, row.place(document), document=document)


def _spot(account: Account) -> str:
    return spot_of(account.kind, (account.merchant,) if account.merchant else account.pool)
