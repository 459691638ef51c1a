"""Law 1 for sales: what the signed entries demand, against what is booked.

The holder's wallet pays what the entry is worth, and the merchant's claim grows
by as much. An unproven void only holds the merchant's money back.
"""

from backend.verifier.decoder import entries
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.grants.grants import Grant, Grants
from backend.verifier.ledger.decisions import Decisions
from backend.verifier.ledger.demands import ANY_PROGRAMME, Demand, DemandAudit, booked, compare
from backend.verifier.ledger.ledger import Account, Ledger, Transfer
from backend.verifier.purses.histories import Histories, Posting
from backend.verifier.purses.proofs import Proofs
from backend.verifier.purses.rivals import Rivals
from backend.verifier.workbook import Workbook

_PROVEN_CLAIMS = ("payable", "suspense", "refund_due")


class SaleAudit:
    """Compares every posting with the ledger."""

    def __init__(
        self,
        grants: Grants,
        ledger: Ledger,
        decisions: Decisions,
        book: Workbook,
        findings: Findings,
    ) -> None:
        self._decisions = decisions
        self._grants = grants
        self._ledger = ledger
        self._book = book
        self._findings = findings
        self._demands = DemandAudit(ledger, book, findings)
        self._rivals = Rivals(book)
        self.posted = 0
        self.cents = 0

    def check(self) -> None:
        """Judges every posting, purse by purse."""
        proofs = Proofs(self._book)
        histories = Histories(
            self._book, self._findings, proofs.prove, proofs.is_written_over,
            self._rivals.may_be_dead, self._is_given_back,
        )  # fmt: skip
        for posting, worth in histories.walk():
            self._posting(posting, worth)

    def _posting(self, posting: Posting, worth: dict[int, int]) -> None:
        document = f"{posting.terminal}:{posting.seq}"
        transfers = self._ledger.of("entry", document)
        transfers += self._ledger.of("record", _record_id(posting))
        decided = self._decided(posting)
        transfers += decided
        self._decisions.bear(document, transfers)
        if posting.intent.kind == entries.RECORD_VOID:
            self._decisions.give_up(self._voided(posting), transfers)
        if (not posting.live or decided) and posting.claim == "none":
            worth = {}
        demand = Demand(
            posting.purse, posting.ctr, worth, self._programmes(posting),
            (posting.claim, posting.merchant if posting.claim == "payable" else ""),
            Place("entries.jsonl", posting.line, posting.terminal, posting.seq, document),
        )  # fmt: skip
        if not posting.live:
            self._demands.check_off_chain(demand, transfers)
        else:
            self.posted += 1
            self._live(posting, demand, transfers, decided=bool(decided))
        cents = sum(worth.values())
        self._book.note(
            "worth", posting.terminal, posting.seq, cents, posting.live, posting.amount_open,
            posting.intent.time,
        )  # fmt: skip
        if posting.claim == "refund_due":
            for slot, part in worth.items():
                self._book.note("due", document, *posting.purse, slot, part)
        if posting.claim == "payable":
            self._book.note("owed", document, posting.merchant, cents, posting.amount_open)

    def _live(
        self, posting: Posting, demand: Demand, transfers: list[Transfer], *, decided: bool
    ) -> None:
        is_void = posting.intent.kind == entries.RECORD_VOID
        late = posting.claim == "suspense" and self._voids_closed_day(posting)
        if is_void and not decided and (posting.state == "unproven" or late):
            self._held_back(posting, demand, transfers)
            return
        self.cents += sum(demand.worth.values())
        if any(demand.worth.values()) and not decided:
            self._check_claim(posting)
        self._demands.check(demand, transfers, forked=self._rivals.is_forked(posting))

    def _held_back(self, posting: Posting, demand: Demand, transfers: list[Transfer]) -> None:
        """A void that no card has proven: payable → suspense, if the sale is payable."""
        sale = self._book.ask(
            "SELECT claim FROM posting WHERE issuer = ? AND purse = ? AND ctr = ? AND live",
            (*posting.purse, posting.ctr - 1),
        )
        back = -sum(demand.worth.values()) if sale and sale[0][0] == "payable" else 0
        demanded = {f"payable {posting.merchant}": -back, "suspense": back}
        found = booked(transfers, _by_kind)
        compare(self._findings, demand.place, demanded, found, transfers)
        self._findings.trust("SUSPENSE")

    def _voids_closed_day(self, void: Posting) -> bool:
        """Whether the till's own entries put a void into a later batch than its sale."""
        if void.intent.voided is None:
            return False
        of_void = self._book.ask(
            "SELECT bytes FROM intent WHERE terminal = ? AND prior_hash = ?",
            (void.terminal, void.prior_hash),
        )
        of_sale = self._book.ask(
            "SELECT bytes FROM intent WHERE terminal = ? AND seq = ?",
            (void.terminal, void.intent.voided),
        )
        batches = {entries.read(complete).fields[15] for (complete,) in of_void + of_sale}
        return len(batches) > 1

    def _decided(self, posting: Posting) -> list[Transfer]:
        """What people moved of its money."""
        document = f"{posting.terminal}:{posting.seq}"
        return self._decisions.of(document) + self._decisions.of(_record_id(posting))

    def _is_given_back(self, posting: Posting) -> bool:
        """Whether people gave its money back to the wallet: a void of it finds nothing there."""
        return posting.claim == "none" and bool(self._decided(posting))

    def _voided(self, void: Posting) -> str:
        """The document of the sale that a void was written over."""
        sale = self._book.ask(
            "SELECT terminal, seq FROM posting WHERE record_hash = ?", (void.prior_hash,)
        )
        return f"{sale[0][0]}:{sale[0][1]}" if sale else ""

    def _check_claim(self, posting: Posting) -> None:
        claims = ("suspense",) if posting.state == "unproven" else _PROVEN_CLAIMS
        if posting.claim not in claims:
            self._findings.add(
                Law.CONSERVATION, "CLAIM_NOT_OF_STATE", posting.place,
                state=posting.state, claim=posting.claim,
            )  # fmt: skip
        if posting.claim == "suspense":
            self._findings.trust("SUSPENSE")

    def _programmes(self, posting: Posting) -> dict[int, int | None]:
        """The programme of each slot, from the grants that the till saw and hashed."""
        lines = posting.intent.lines
        by_slot = {line.slot: line.grant_seq for line in lines}
        hashes = dict(zip(sorted(by_slot), posting.intent.grant_hashes, strict=True))
        programmes: dict[int, int | None] = {}
        for slot, seq in by_slot.items():
            grant = self._grants.by_number.get((posting.purse, seq))
            code = self._grant_fault(posting, slot, grant, hashes[slot])
            if code is not None and posting.live and posting.claim != "suspense":
                self._findings.add(Law.GRANTED, code, posting.place, grant=seq, slot=slot)
            if grant is None or code == "SALE_ON_UNKNOWN_GRANT":
                programmes[slot] = ANY_PROGRAMME
            else:
                programmes[slot] = grant.programme
        return programmes

    def _grant_fault(
        self, posting: Posting, slot: int, grant: Grant | None, digest: bytes
    ) -> str | None:
        if grant is None or grant.digest != digest or grant.slot != slot:
            return "SALE_ON_UNKNOWN_GRANT"
        if not grant.counts:
            return "SALE_ON_VOID_GRANT"
        granted = self._grants.of_slot(posting.purse, slot)
        if posting.intent.totals[slot - 1] > max(
            other.granted for other in granted if other.counts
        ):
            return "SPENT_ABOVE_GRANT"
        return None


def _record_id(posting: Posting) -> str:
    """How transfers named the record before its entry came."""
    issuer, purse = posting.purse
    return f"{issuer.hex()}:{purse.hex()}:{posting.ctr}:{posting.record_hash[:4].hex()}"


def _by_kind(account: Account) -> str:
    if account.kind == "payable":
        return f"payable {account.merchant}"
    return account.kind if account.kind == "suspense" else f"{account.kind} {account.id}"
