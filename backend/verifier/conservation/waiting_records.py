"""Law 1 for proven records whose entry is missing: they wait in suspense.

A till's signed word about the intent moves them on: ``not_applied`` makes them a
refund, ``unresolved`` lets the backend close the sale in the shop's favour.
"""

import json
from dataclasses import dataclass

from backend.verifier.decoder import entries
from backend.verifier.decoder.entries import Intent
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.ledger.decisions import Decisions
from backend.verifier.ledger.demands import Demand, DemandAudit, booked, compare, taken
from backend.verifier.ledger.ledger import Account, Ledger, Transfer
from backend.verifier.purses.announced import Announced, written_over
from backend.verifier.purses.histories import totals_of
from backend.verifier.purses.proofs import Proofs
from backend.verifier.registry import PurseKey
from backend.verifier.workbook import Workbook

SUSPENSE = ("suspense", "")


@dataclass(frozen=True, slots=True)
class _Record:
    """``intent`` is the start of its intent's hash, ``totals`` as JSON.

    Attested, or written over; ``proven``: also as another merchant's attested record shows.
    """

    purse: PurseKey
    ctr: int
    digest: bytes
    intent: bytes
    totals: str
    proven: bool = True


class WaitingRecordAudit:
    """Judges transfers that name a record and no entry."""

    def __init__(
        self, ledger: Ledger, decisions: Decisions, book: Workbook, findings: Findings
    ) -> None:
        self._decisions = decisions
        self._ledger = ledger
        self._book = book
        self._findings = findings
        self._demands = DemandAudit(ledger, book, findings)
        self._proofs = Proofs(book)

    def check(self) -> None:
        """Every such record that no posting has claimed meanwhile."""
        records = self._book.ask(
            "SELECT DISTINCT ref_id FROM transfer LEFT JOIN judged USING (ref_kind, ref_id)"
            " WHERE ref_kind = 'record' AND judged.ref_id IS NULL"
        )
        for (document,) in sorted(records, key=lambda row: _ctr_of(row[0])):
            self._record(document)

    def _record(self, document: str) -> None:
        record = self._known(document)
        if record is None:
            return  # stays unjudged, and so is found to be without a document
        decided = self._decisions.of(document)
        transfers = self._ledger.of("record", document) + decided
        self._decisions.bear(document, transfers)
        place = Place("transfers.jsonl", transfers[0].line, document=f"record {document}")
        self._findings.trust("RECORD_WITHOUT_ENTRY" if record.proven else "UNPROVEN")
        intent = self._intent(record)
        lies = booked(transfers, _claim_of)
        claims = self._claims(record) + _decided_claims(decided, self._merchants(record))
        claim = next((name for name in claims if lies[" ".join(name)]), SUSPENSE)
        worths = self._worths(record, intent)
        if not worths:
            self._findings.trust("RECORD_WITHOUT_TOTALS")
            self._take_nothing(record, transfers, place)
            return
        # Where a fork leaves two records to have been written over, either may be it.
        if all(cents < 0 for worth in worths for cents in worth.values()) and any(worths):
            self._void(record, worths[0], transfers, document)
            return
        told = (worth for worth in worths if sum(worth.values()) == lies[" ".join(claim)])
        worth = next(told, worths[0])
        demand = Demand(record.purse, record.ctr, worth, dict.fromkeys(worth), claim, place)
        forked = self._is_forked(record)
        if forked and not any(taken(transfers).values()):
            self._demands.check_off_chain(demand, transfers)
        else:
            self._check_once(record, place)
            self._demands.check(demand, transfers, forked=forked)
        if claim[0] == "refund_due":
            for slot, cents in worth.items():
                self._book.note("due", document, *record.purse, slot, cents)
        if claim[0] == "payable":
            self._book.note("owed", document, claim[1], sum(worth.values()), 0)

    def _take_nothing(self, record: _Record, transfers: list[Transfer], place: Place) -> None:
        """Of any amount: it goes from its own wallet into suspense, and nowhere else."""
        demand = Demand(record.purse, record.ctr, {}, {}, SUSPENSE, place)
        found = booked(transfers, demand.spot)
        astray = {spot: cents for spot, cents in found.items() if not _waits(spot, cents)}
        compare(self._findings, place, {}, astray, transfers)

    def _void(
        self, record: _Record, worth: dict[int, int], transfers: list[Transfer], document: str
    ) -> None:
        """A void that only the card tells: it holds money back, or people say it holds."""
        place = Place("transfers.jsonl", transfers[0].line, document=f"record {document}")
        claim, merchant, sale = self._sale_below(record)
        found, back = booked(transfers, _claim_of), -sum(worth.values())
        self._decisions.give_up(sale, transfers)
        if any(taken(transfers).values()) or any(_repays_exposure(item) for item in transfers):
            demand = Demand(
                record.purse, record.ctr, worth, dict.fromkeys(worth), ("payable", merchant), place
            )
            self._check_once(record, place)
            self._demands.check(demand, transfers, forked=self._is_forked(record))
            self._book.note("owed", document, merchant, -back, 0)
            return
        held = back if claim == "payable" and found["suspense "] else 0
        compare(
            self._findings, place, {f"payable {merchant}": -held, "suspense ": held}, found,
            transfers,
        )  # fmt: skip
        self._findings.trust("SUSPENSE")

    def _sale_below(self, record: _Record) -> tuple[str, str, str]:
        """Where the money of the sale lies that a void was written over: kind, merchant, document.

        Empty words where nothing is posted there.
        """
        below = f"{record.purse[0].hex()}:{record.purse[1].hex()}:{record.ctr - 1}:%"
        sales: list[tuple[str, str, str]] = self._book.ask(
            "SELECT claim, merchant, terminal || ':' || seq FROM posting"
            " WHERE issuer = ? AND purse = ? AND ctr = ? AND live"
            " UNION ALL SELECT 'payable', merchant, entry FROM owed WHERE entry LIKE ?",
            (*record.purse, record.ctr - 1, below),
        )
        return sales[0] if sales else ("", "", "")

    def _check_once(self, record: _Record, place: Place) -> None:
        """Of the records of one counter a wallet pays one, with or without an entry."""
        label = f"{record.purse[0].hex()}-{record.purse[1].hex()}:{record.ctr}"
        live = self._book.ask(
            "SELECT 1 FROM posting WHERE issuer = ? AND purse = ? AND ctr = ? AND live",
            (*record.purse, record.ctr),
        )
        if self._book.first_use("wallet pays", label, place.line or 0) is not None or live:
            self._findings.add(Law.ONCE, "POSTED_TWICE", place, ctr=record.ctr)

    def _known(self, document: str) -> _Record | None:
        issuer, purse, ctr, start = (*document.split(":"), "", "", "")[:4]
        try:
            key = (bytes.fromhex(issuer), bytes.fromhex(purse), int(ctr), bytes.fromhex(start))
        except ValueError:
            return None
        found = self._book.ask(
            "SELECT record_hash, intent, totals FROM attested"
            " WHERE issuer = ? AND purse = ? AND ctr = ? AND substr(record_hash, 1, 4) = ?",
            key,
        )
        if found:
            return _Record((key[0], key[1]), key[2], *found[0])
        over = written_over(self._book, (key[0], key[1]), key[2], key[3])
        if over is None:
            return None
        totals, proven = json.dumps(over.intent.totals), self._is_written_over(over)
        return _Record((key[0], key[1]), key[2], over.digest, over.short, totals, proven)

    def _is_written_over(self, record: Announced) -> bool:
        return self._proofs.is_written_over(record.digest, record.merchant)

    def _is_forked(self, record: _Record) -> bool:
        """Whether another record of the same counter is known."""
        return bool(
            self._book.ask(
                "SELECT 1 FROM posting WHERE issuer = ?1 AND purse = ?2 AND ctr = ?3 AND live"
                " UNION SELECT 1 FROM attested WHERE issuer = ?1 AND purse = ?2 AND ctr = ?3"
                " AND record_hash != ?4",
                (*record.purse, record.ctr, record.digest),
            )
        )

    def _intent(self, record: _Record) -> Intent | None:
        found = self._book.ask("SELECT bytes FROM intent WHERE short = ?", (record.intent,))
        return entries.read_intent(found[0][0]) if found else None

    def _claims(self, record: _Record) -> list[tuple[str, str]]:
        """Where the money may lie besides suspense: what the till signed of the intent says."""
        return [
            ("refund_due", "") if kind == entries.NOT_APPLIED else ("payable", merchant)
            for kind, merchant in self._book.ask(
                "SELECT type, closed.merchant FROM closed"
                " JOIN intent ON intent.hash = closed.intent WHERE short = ?",
                (record.intent,),
            )
            if record.proven
        ]

    def _merchants(self, record: _Record) -> set[str]:
        """Whose till announced it; none where that is not known."""
        query = "SELECT merchant FROM intent WHERE short = ?"
        return {merchant for (merchant,) in self._book.ask(query, (record.intent,))}

    def _worths(self, record: _Record, intent: Intent | None) -> list[dict[int, int]]:
        """Cents per slot: against the record before, or as announced while that is unproven.

        What a card attested counts before what was announced: other bytes may bear its hash.
        """
        now = None if record.totals == "null" else tuple(json.loads(record.totals))
        if now is None and intent is not None:
            now = intent.totals
        before = totals_of(self._book, record.purse, record.ctr - 1)
        worths = [_steps(now, then) for then in before if now is not None]
        unproven = self._book.ask(
            "SELECT 1 FROM posting WHERE issuer = ? AND purse = ? AND ctr = ? AND live"
            " AND state = 'unproven'",
            (*record.purse, record.ctr - 1),
        )
        if intent is not None and (unproven or not worths):
            worths.append(intent.by_slot)
        return worths


def _ctr_of(document: str) -> int:
    """The counter of a record's document: a sale is judged before the void of it."""
    parts = document.split(":")
    return int(parts[2]) if len(parts) > 2 and parts[2].isdecimal() else 0


def _steps(now: tuple[int, ...], then: tuple[int, ...]) -> dict[int, int]:
    """What changed from one record's totals to the next one's."""
    steps = enumerate(zip(now, then, strict=True), 1)
    return {slot: new - old for slot, (new, old) in steps if new != old}


def _decided_claims(transfers: list[Transfer], merchants: set[str]) -> list[tuple[str, str]]:
    """Where people moved a record's money: to the merchant whose till it was, or to the purse."""
    targets = (transfer.target for transfer in transfers)
    return [
        (account.kind, account.merchant or "")
        for account in targets
        if account.merchant is None or not merchants or account.merchant in merchants
    ]


def _repays_exposure(transfer: Transfer) -> bool:
    """Whether it gives back what exposure had paid for a wallet."""
    return transfer.target.kind == "exposure"


def _waits(spot: str, cents: int) -> bool:
    """Whether that is a wallet that paid, or suspense that holds what it paid."""
    return cents <= 0 if spot.startswith("wallet") else spot.startswith("suspense") and cents >= 0


def _claim_of(account: Account) -> str:
    return f"{account.kind} {account.merchant or ''}"
