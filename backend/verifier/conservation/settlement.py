"""Laws 1 and 6 from the merchant's claim to the bank: statements, batches, payments."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.verifier.conservation.returns import GoodsReturn
from backend.verifier.conservation.reviews import ReviewAudit
from backend.verifier.export.reader import Export, Row
from backend.verifier.findings import Findings, Law
from backend.verifier.ledger.demands import booked, compare
from backend.verifier.ledger.ledger import Account, Ledger
from backend.verifier.workbook import Workbook

_STATES_BY_PAYMENT = {
    "paid": ("paid",), "sent": ("in_payment",), "created": ("approved",), "failed": ("failed",),
    "": ("created", "sent", "under_review", "failed"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Batch:
    """A settlement batch: what it owes one merchant, in cents."""

    row: Row
    merchant: str
    cents: int


class SettlementAudit:
    """Judges every statement, batch, payment and outcome."""

    def __init__(
        self, ledger: Ledger, returns: Mapping[str, GoodsReturn], book: Workbook,
        findings: Findings,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._returns = returns
        self._book = book
        self._findings = findings
        self._reviews = ReviewAudit(findings)
        self.batches: dict[str, Batch] = {}
        self._answered: set[str] = set()
        """Batches that the bank has said something about."""
        self._standing: set[str] = set()
        """Batches that a payment stands for."""
        self._failed: set[str] = set()
        """Batches whose money is owed again."""
        self._payment_states: dict[str, set[str]] = {}

    def check(self, export: Export) -> None:
        """Statements first, then batches with what was paid of them."""
        self._learn_what_stands(export)
        for row in export.rows("statements.jsonl"):
            self._statement(row)
        for row in export.rows("batches.jsonl"):
            if self._once(row, "batch", row["batch"]):
                self._batch(row)
                self._reviews.check(row, ordered=row["batch"] in self._standing)
        self._payments(export)

    def _learn_what_stands(self, export: Export) -> None:
        for row in export.rows("payments.jsonl"):
            self._payment_states.setdefault(row["batch"], set()).add(row["state"])
            if row["outcome_ref"] is not None:
                self._answered.add(row["batch"])
            if row["state"] in ("sent", "paid"):
                self._standing.add(row["batch"])
        for row in export.rows("batches.jsonl"):
            if row["state"] == "failed" and row["batch"] not in self._standing:
                self._failed.add(row["batch"])

    def _statement(self, row: Row) -> None:
        if not self._once(row, "statement", row["statement"]):
            return
        for line in row["lines"]:
            self._check_line(row, line, "statement")
        if sum(line["amount_cents"] for line in row["lines"]) != row["total_cents"]:
            self._add("TOTAL_WRONG", row, f"statement {row['statement']}")

    def _batch(self, row: Row) -> None:
        number = row["batch"]
        included = [line for line in row["lines"] if line["state"] == "included"]
        for line in included:
            self._check_line(row, line, "batch")
            self._check_settled_once(row, line)
            self._check_period(row, line)
        cents = sum(line["amount_cents"] for line in included)
        if cents != row["total_cents"]:
            self._add("TOTAL_WRONG", row, f"batch {number}")
        self.batches[number] = Batch(row, row["merchant"], cents)
        if row["state"] not in self._states_of(number):
            self._add("BATCH_STATE_OTHER", row, f"batch {number}")
        demanded: Counter[str] = Counter()
        if row["state"] != "failed" or number in self._answered:
            # One that was turned down before the bank had it has given its money back.
            demanded[f"payable {row['merchant']}"] = -cents
            demanded[f"in_payment {row['merchant']}"] = cents
        transfers = self._ledger.of("batch", number)
        if any(transfer.booked_at < row["period_to"] for transfer in transfers):
            self._add("BATCH_BEFORE_END", row, f"batch {number}")
        place, found = row.place(f"batch {number}"), booked(transfers, _spot)
        compare(self._findings, place, demanded, found, transfers)

    def _check_period(self, row: Row, line: dict[str, Any]) -> None:
        """Nothing is paid in a batch that happened after its period."""
        terminal, _, seq = str(line["entry"]).partition(":")
        sold = self._book.ask(
            "SELECT 1 FROM worth WHERE terminal = ? AND seq = ? AND time >= ?",
            (terminal, seq, row["period_to"]),
        )
        if sold:
            self._add("LINE_AFTER_PERIOD", row, f"batch {row['batch']}, entry {line['entry']}")

    def _states_of(self, number: str) -> tuple[str, ...]:
        """What a batch may be by what became of its payments."""
        states = self._payment_states.get(number, set())
        for state in ("paid", "sent", "created"):
            if state in states:
                return _STATES_BY_PAYMENT[state]
        return _STATES_BY_PAYMENT["failed" if states else ""]

    def _check_line(self, row: Row, line: dict[str, Any], kind: str) -> None:
        """A line pays a posting of this merchant, at its worth, or takes off a return of it."""
        if line["return"] is not None:
            self._check_return(row, line, kind)
            return
        found = self._owed(str(line["entry"]), stands=row[kind] not in self._failed)
        document = f"{kind} {row[kind]}, entry {line['entry']}"
        if not found:
            if self._decided(str(line["entry"]), row["merchant"]) == line["amount_cents"]:
                self._findings.trust("PAID_BY_DECISION")
                return
            self._add("LINE_WITHOUT_CLAIM", row, document)
            return
        merchant, cents, amount_open = found[0]
        if (merchant, cents) != (row["merchant"], line["amount_cents"]):
            self._add("LINE_OTHER_AMOUNT", row, document)
        if amount_open and kind == "batch":
            self._findings.trust("PAID_WHILE_OPEN")

    def _owed(self, entry: str, *, stands: bool) -> list[tuple[str, int, bool]]:
        """Merchant, cents and whether the amount is open of what is owed for an entry.

        Of a batch that does not stand: of what was, whatever people decided about it since.
        """
        found = self._book.ask(
            "SELECT merchant, cents, amount_open FROM owed WHERE entry = ?", (entry,)
        )
        if found or stands:
            return found
        terminal, _, seq = entry.partition(":")
        return self._book.ask(
            "SELECT merchant, cents, worth.amount_open FROM worth JOIN posting"
            " USING (terminal, seq) WHERE terminal = ? AND seq = ?", (terminal, seq),
        )  # fmt: skip

    def _check_return(self, row: Row, line: dict[str, Any], kind: str) -> None:
        item = self._returns.get(line["return"])
        wanted = item and (item.entry, item.merchant, -item.cents)
        if item is None or wanted != (line["entry"], row["merchant"], line["amount_cents"]):
            self._add("LINE_WITHOUT_RETURN", row, f"{kind} {row[kind]}, return {line['return']}")
        elif item.repaid and kind == "batch" and row["batch"] not in self._failed:
            self._add("RETURN_NETTED_AND_REPAID", row, f"{kind} {row[kind]}, entry {line['entry']}")

    def _decided(self, entry: str, merchant: str) -> int | None:
        """Cents that people moved from suspense to what the merchant is owed for it."""
        found = self._book.ask(
            "SELECT sum(cents) FROM decided WHERE document = ? AND merchant = ?",
            (entry, merchant),
        )
        return found[0][0] if found else None

    def _check_settled_once(self, row: Row, line: dict[str, Any]) -> None:
        """An entry is in one batch, and again only after that batch's payment failed."""
        entry = str(line["entry"] if line["return"] is None else f"return {line['return']}")
        earlier = self._book.ask("SELECT batch FROM batched WHERE entry = ?", (entry,))
        if any(batch not in self._failed for (batch,) in earlier):
            self._findings.add(
                Law.ONCE, "SETTLED_TWICE", row.place(f"batch {row['batch']}, entry {entry}"),
                entry=entry, batch=row["batch"], before=str(earlier[0][0]),
            )  # fmt: skip
        self._book.note("batched", entry, row["batch"], line["amount_cents"], row.line)

    def _payments(self, export: Export) -> None:
        by_batch: Counter[str] = Counter()
        for row in export.rows("payments.jsonl"):
            self._once(row, "end-to-end id", row["end_to_end_id"])
            if not self._once(row, "payment", row["payment"]):
                continue
            batch = self.batches.get(row["batch"])
            if batch is None:
                self._add("PAYMENT_WITHOUT_BATCH", row, f"payment {row['payment']}")
                continue
            by_batch[row["batch"]] += row["amount_cents"] if row["state"] != "failed" else 0
            self._outcome(row, batch)
        for number, cents in by_batch.items():
            batch = self.batches[number]
            if cents > batch.cents:
                self._findings.add(
                    Law.ONCE, "PAID_TWICE", batch.row.place(f"batch {number}"),
                    batch=number, booked=cents, wanted=batch.cents,
                )  # fmt: skip

    def _outcome(self, row: Row, batch: Batch) -> None:
        number, state, document = row["outcome_ref"], row["state"], f"payment {row['payment']}"
        turned_down = state == "failed" and batch.row["state"] == "failed"
        told = state in ("paid", "failed")
        if (number is not None and not told) or (number is None and told and not turned_down):
            self._add("OUTCOME_MISSING", row, document)
        if number is None or not self._once(row, "outcome", number):
            return
        self._findings.trust("OUTCOME_OF_BANK")
        cents, target = row["amount_cents"], "paid" if state == "paid" else "payable"
        demanded: Counter[str] = Counter()
        if told:
            demanded[f"in_payment {batch.merchant}"] = -cents
            demanded[f"{target} {batch.merchant}"] = cents
        transfers = self._ledger.of("outcome", number)
        compare(self._findings, row.place(document), demanded, booked(transfers, _spot), transfers)

    def _once(self, row: Row, what: str, number: str) -> bool:
        return self._findings.once(self._book, what, number, row.place(f"{what} {number}"))

    def _add(self, code: str, row: Row, document: str) -> None:
        self._findings.add(Law.CONSERVATION, code, row.place(document), document=document)


def _spot(account: Account) -> str:
    return f"{account.kind} {account.merchant or account.id}"
