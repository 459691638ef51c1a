"""Law 1 for sales: what the signed entries demand, against what is booked.

For each posting the transfers that name it are added up by where the money lies,
and compared with its worth: the holder's wallet less, the merchant's claim more.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from backend.verifier import entries
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.grants import Grant, Grants
from backend.verifier.histories import Histories, Posting, totals_of
from backend.verifier.ledger import SLOT_KINDS, Account, Ledger, Transfer
from backend.verifier.registry import PurseKey
from backend.verifier.workbook import Workbook

Spot = tuple[str, str, int | None]
"""Where money lies: kind, whose, programme."""
ANY_PROGRAMME = None


class SaleAudit:
    """Compares postings, and proven records that have none, with the ledger."""

    def __init__(self, grants: Grants, ledger: Ledger, book: Workbook, findings: Findings) -> None:
        self._grants = grants
        self._ledger = ledger
        self._book = book
        self._findings = findings
        self.posted = 0
        self.cents = 0

    def check(self) -> None:
        """Judges every posting, then every record that waits for its entry."""
        for posting, worth in Histories(self._book, self._findings).walk():
            self._posting(posting, worth)
        records = self._book.ask(
            "SELECT DISTINCT ref_id FROM transfer LEFT JOIN judged USING (ref_kind, ref_id)"
            " WHERE ref_kind = 'record' AND judged.ref_id IS NULL"
        )
        for (document,) in records:
            self._record(document)

    def _posting(self, posting: Posting, worth: dict[int, int]) -> None:
        document = f"{posting.terminal}:{posting.seq}"
        transfers = self._ledger.of("entry", document)
        if posting.live:
            transfers += self._ledger.of("record", _record_id(posting.purse, posting.ctr))
            self.posted += 1
            self.cents += sum(worth.values())
            self._check_claim(posting)
        place = Place("entries.jsonl", posting.line, posting.terminal, posting.seq, document)
        programmes = self._programmes(posting)
        owner = posting.merchant if posting.claim == "payable" else ""
        self._compare(posting.purse, worth, programmes, (posting.claim, owner), transfers, place)
        self._note_slots(posting.purse, posting.ctr, worth, transfers, place)
        if posting.live and posting.claim == "payable":
            cents = sum(worth.values())
            self._book.note("owed", document, posting.merchant, cents, posting.amount_open)

    def _check_dead(self, transfers: list[Transfer], place: Place) -> None:
        """What another branch claims is lent by exposure; no wallet pays for it."""
        taken: Counter[int] = Counter()
        for transfer in transfers:
            for account, sign in ((transfer.source, 1), (transfer.target, -1)):
                if account.kind in SLOT_KINDS and account.slot is not None:
                    taken[account.slot] += sign * transfer.cents
        for slot, cents in taken.items():
            if cents:
                self._findings.add(
                    Law.CONSERVATION, "SLOT_NOT_CHARGED", place, slot=slot, wanted=0, booked=cents
                )

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
            programmes[slot] = grant.programme if grant is not None else ANY_PROGRAMME
        return programmes

    def _grant_fault(
        self, posting: Posting, slot: int, grant: Grant | None, digest: bytes
    ) -> str | None:
        if grant is None or grant.digest != digest or grant.slot != slot:
            return "SALE_ON_UNKNOWN_GRANT"
        if not grant.counts:
            return "SALE_ON_VOID_GRANT"
        if posting.intent.totals[slot - 1] > grant.granted:
            return "SPENT_ABOVE_GRANT"
        return None

    def _compare(
        self,
        purse: PurseKey,
        worth: dict[int, int],
        programmes: dict[int, int | None],
        claim: tuple[str, str],
        transfers: list[Transfer],
        place: Place,
    ) -> None:
        known = all(programmes.get(slot) is not ANY_PROGRAMME for slot in worth)
        demanded: Counter[Spot] = Counter()
        for slot, cents in worth.items():
            programme = programmes.get(slot) if known else ANY_PROGRAMME
            demanded["card", "", programme] -= cents
            demanded[*claim, programme] += cents
        booked: Counter[Spot] = Counter()
        for transfer in transfers:
            booked[self._spot(transfer.source, purse, known=known)] -= transfer.cents
            booked[self._spot(transfer.target, purse, known=known)] += transfer.cents
        for spot in sorted(demanded.keys() | booked.keys(), key=str):
            if demanded[spot] != booked[spot]:
                kind, owner, programme = spot
                self._findings.add(
                    Law.CONSERVATION, "BOOKED_OTHERWISE", place, account=f"{kind} {owner}".strip(),
                    programme="*" if programme is None else programme,
                    wanted=demanded[spot], booked=booked[spot], transfers=_numbers(transfers),
                )  # fmt: skip

    @staticmethod
    def _spot(account: Account, purse: PurseKey, *, known: bool) -> Spot:
        programme = account.programme if known else ANY_PROGRAMME
        if account.kind == "exposure" or (account.kind in SLOT_KINDS and account.purse == purse):
            return "card", "", programme
        if account.kind == "payable":
            return "payable", account.merchant or "?", programme
        if account.kind in ("suspense", "refund_due"):
            return account.kind, "", programme
        return account.kind, account.id, programme

    def _note_slots(
        self,
        purse: PurseKey,
        ctr: int,
        worth: dict[int, int],
        transfers: list[Transfer],
        place: Place,
    ) -> None:
        """Per slot: what came from it, what it lacked; exposure only after it was empty."""
        taken: defaultdict[int, int] = defaultdict(int)
        lent: Transfer | None = None
        for transfer in transfers:
            for account, sign in ((transfer.source, 1), (transfer.target, -1)):
                if account.kind in SLOT_KINDS and account.slot is not None:
                    taken[account.slot] += sign * transfer.cents
            if transfer.source.kind == "exposure":
                lent = transfer
        for slot in sorted(worth.keys() | taken.keys()):
            cents, lacked = worth.get(slot, 0), worth.get(slot, 0) - taken[slot]
            if not min(0, cents) <= taken[slot] <= max(0, cents) or (
                lacked > 0 and self._had_money(purse, slot, lent)
            ):
                self._findings.add(
                    Law.CONSERVATION, "SLOT_NOT_CHARGED", place,
                    slot=slot, wanted=cents, booked=taken[slot],
                )  # fmt: skip
            if cents or lacked:
                by = 0 if lent is None else lent.id
                self._book.note("claimed", *purse, slot, ctr, cents, lacked, by)

    def _had_money(self, purse: PurseKey, slot: int, lent: Transfer | None) -> bool:
        """Whether the wallet still held something when exposure paid for it."""
        return lent is None or any(
            self._ledger.balance(account.id, lent.id) > 0
            for account in self._ledger.of_slot(purse, slot)
            if account.programme == lent.source.programme
        )

    def _record(self, document: str) -> None:
        """A proven record whose entry is missing: it waits in suspense, or is refunded."""
        transfers = self._ledger.of("record", document)
        place = Place("transfers.jsonl", transfers[0].line, document=f"record {document}")
        found = self._attested(document)
        if found is None:
            self._findings.add(
                Law.CONSERVATION, "TRANSFER_WITHOUT_DOCUMENT", place,
                document=document, kind="record", transfers=_numbers(transfers),
            )  # fmt: skip
            return
        purse, ctr, intent_short = found
        self._findings.trust("RECORD_WITHOUT_ENTRY")
        worth, claims = self._record_worth(purse, ctr, intent_short)
        if worth is None:
            self._findings.trust("RECORD_WITHOUT_TOTALS")
            return
        programmes: dict[int, int | None] = dict.fromkeys(worth, ANY_PROGRAMME)
        lies = {(transfer.target.kind, transfer.target.merchant or "") for transfer in transfers}
        claim = next((claim for claim in claims if claim in lies), claims[0])
        self._compare(purse, worth, programmes, claim, transfers, place)
        self._note_slots(purse, ctr, worth, transfers, place)

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

    def _record_worth(
        self, purse: PurseKey, ctr: int, intent_short: bytes
    ) -> tuple[dict[int, int] | None, list[tuple[str, str]]]:
        """Cents per slot, and where they may lie: what the till signed of the intent decides."""
        for digest, complete in self._book.ask(
            "SELECT hash, bytes FROM intent WHERE short = ?", (intent_short,)
        ):
            claims = [
                ("refund_due", "") if kind == entries.NOT_APPLIED else ("payable", merchant)
                for kind, merchant in self._book.ask(
                    "SELECT type, merchant FROM closed WHERE intent = ?", (digest,)
                )
            ]
            return entries.intent_of(entries.read(complete)).by_slot, [*claims, ("suspense", "")]
        now, then = totals_of(self._book, purse, ctr), totals_of(self._book, purse, ctr - 1)
        if now is None or then is None:
            return None, []
        steps = enumerate(zip(now, then, strict=True), 1)
        return {slot: new - old for slot, (new, old) in steps if new != old}, [("suspense", "")]


_PROVEN_CLAIMS = ("payable", "suspense", "refund_due")


def _record_id(purse: PurseKey, ctr: int) -> str:
    return f"{purse[0].hex()}:{purse[1].hex()}:{ctr}"


def _numbers(transfers: Iterable[Transfer]) -> str:
    return ", ".join(str(transfer.id) for transfer in transfers) or "-"
