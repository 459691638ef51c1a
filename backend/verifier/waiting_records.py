"""Law 1 for proven records whose entry is missing: they wait in suspense.

A till's signed word about the intent moves them on: ``not_applied`` makes them a
refund, ``unresolved`` lets the backend close the sale in the shop's favour.
"""

from backend.verifier import entries
from backend.verifier.demands import Demand, DemandAudit
from backend.verifier.findings import Findings, Place
from backend.verifier.histories import totals_of
from backend.verifier.ledger import Ledger
from backend.verifier.registry import PurseKey
from backend.verifier.workbook import Workbook

SUSPENSE = ("suspense", "")


class WaitingRecordAudit:
    """Judges transfers that name a record and no entry."""

    def __init__(self, ledger: Ledger, book: Workbook, findings: Findings) -> None:
        self._ledger = ledger
        self._book = book
        self._findings = findings
        self._demands = DemandAudit(ledger, book, findings)

    def check(self) -> None:
        """Every such record that no posting has claimed meanwhile."""
        records = self._book.ask(
            "SELECT DISTINCT ref_id FROM transfer LEFT JOIN judged USING (ref_kind, ref_id)"
            " WHERE ref_kind = 'record' AND judged.ref_id IS NULL"
        )
        for (document,) in records:
            self._record(document)

    def _record(self, document: str) -> None:
        found = self._attested(document)
        if found is None:
            return  # stays unjudged, and so is found to be without a document
        purse, ctr, intent_short = found
        transfers = self._ledger.of("record", document)
        place = Place("transfers.jsonl", transfers[0].line, document=f"record {document}")
        self._findings.trust("RECORD_WITHOUT_ENTRY")
        worth, claims = self._worth(purse, ctr, intent_short)
        if worth is None:
            self._findings.trust("RECORD_WITHOUT_TOTALS")
            return
        lies = {(transfer.target.kind, transfer.target.merchant or "") for transfer in transfers}
        claim = next((claim for claim in claims if claim in lies), SUSPENSE)
        self._demands.check(
            Demand(purse, ctr, worth, dict.fromkeys(worth), claim, place), transfers
        )
        if claim[0] == "payable":
            self._book.note("owed", document, claim[1], sum(worth.values()), 0)

    def _attested(self, document: str) -> tuple[PurseKey, int, bytes] | None:
        issuer, purse, ctr = (*document.split(":"), "", "")[:3]
        try:
            key = (bytes.fromhex(issuer), bytes.fromhex(purse), int(ctr))
        except ValueError:
            return None
        found = self._book.ask(
            "SELECT intent FROM attested WHERE issuer = ? AND purse = ? AND ctr = ?", key
        )
        return ((key[0], key[1]), key[2], found[0][0]) if found else None

    def _worth(
        self, purse: PurseKey, ctr: int, intent_short: bytes
    ) -> tuple[dict[int, int] | None, list[tuple[str, str]]]:
        """Cents per slot, and where they may lie besides suspense."""
        for digest, complete in self._book.ask(
            "SELECT hash, bytes FROM intent WHERE short = ?", (intent_short,)
        ):
            claims = [
                ("refund_due", "") if kind == entries.NOT_APPLIED else ("payable", merchant)
                for kind, merchant in self._book.ask(
                    "SELECT type, merchant FROM closed WHERE intent = ?", (digest,)
                )
            ]
            return entries.intent_of(entries.read(complete)).by_slot, claims
        now, then = totals_of(self._book, purse, ctr), totals_of(self._book, purse, ctr - 1)
        if now is None or then is None:
            return None, []
        steps = enumerate(zip(now, then, strict=True), 1)
        return {slot: new - old for slot, (new, old) in steps if new != old}, []
