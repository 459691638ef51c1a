"""Cases: each holds what its accounts hold; that a person decided rightly is trusted."""

from collections.abc import Iterator

from backend.verifier.export.people import are_two
from backend.verifier.export.reader import Export, Row
from backend.verifier.findings import Findings, Law
from backend.verifier.ledger.ledger import Ledger
from backend.verifier.workbook import Workbook


class CaseAudit:
    """Judges every case; the ledger was read before."""

    def __init__(self, ledger: Ledger, book: Workbook, findings: Findings) -> None:
        self._ledger = ledger
        self._book = book
        self._findings = findings

    def check(self, export: Export) -> None:
        """Each case's amount, and whether somebody decided where its money moved."""
        suspended = self._suspended()
        for row in self._rows(export):
            self._check_amount(row, suspended.get(row["case"], []))
            self._check_decided(row)

    def _rows(self, export: Export) -> Iterator[Row]:
        for row in export.rows("cases.jsonl"):
            number = row["case"]
            if self._findings.once(self._book, "case", number, row.place(f"case {number}")):
                yield row

    def _suspended(self) -> dict[str | None, list[str]]:
        """The accounts in suspense of each case."""
        holding: dict[str | None, list[str]] = {}
        for account in self._ledger.accounts.values():
            if account.kind == "suspense":
                holding.setdefault(account.case, []).append(account.id)
        return holding

    def _check_amount(self, row: Row, accounts: list[str]) -> None:
        held = sum(self._ledger.balance(account) for account in accounts)
        if held != row["amount_cents"]:
            self._add("CASE_OTHER_AMOUNT", row, booked=held, wanted=row["amount_cents"])

    def _check_decided(self, row: Row) -> None:
        transfers = self._ledger.of("case", row["case"])
        if not transfers:
            return
        if row["decided_by"] is None:
            self._add("CASE_NOT_DECIDED", row)
        elif not are_two(row["decided_by"], row["approved_by"]):
            self._add("CASE_ONE_PERSON", row)
        self._findings.trust("CASE_DECIDED")
        for transfer in transfers:
            if transfer.target.kind == "payable":
                document = row["document"] or row["entry"]
                self._book.note("decided", document, transfer.target.merchant, transfer.cents)

    def _add(self, code: str, row: Row, **facts: str | int) -> None:
        number = row["case"]
        place = row.place(f"case {number}")
        self._findings.add(Law.CONSERVATION, code, place, case=number, **facts)
