"""What every sale is worth: the purses' histories, rebuilt from signed intents.

The amount of a posting is the difference of the totals of a record and of the
one before it on the card (PROTOCOL 6). Both totals are in intents that tills
signed; which intent a record came from, its clear part says; which record came
before, the intent says. Law 6 is judged on the way: one live posting for each
(issuer, purse, counter).
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from itertools import groupby

from backend.verifier.decoder import entries
from backend.verifier.decoder.entries import Intent
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.purses.announced import announced_as
from backend.verifier.registry import PurseKey
from backend.verifier.workbook import Workbook

Totals = tuple[int, ...]

_POSTINGS = """
SELECT issuer, purse, ctr, posting.terminal, posting.seq, posting.line, posting.merchant,
    record_hash, posting.prior_hash, has_tc, state, live, amount_open, claim, bytes
FROM posting JOIN intent ON intent.hash = posting.intent
ORDER BY issuer, purse, ctr, posting.terminal, posting.seq
"""


@dataclass(frozen=True, slots=True)
class Posting:
    """An accepted sale, recovery or void with the verdict that the export gives it."""

    issuer: bytes
    purse_number: bytes
    ctr: int
    terminal: int
    seq: int
    line: int
    merchant: str
    record_hash: bytes
    prior_hash: bytes
    has_tc: int
    state: str
    live: int
    amount_open: int
    claim: str
    intent: Intent

    @property
    def purse(self) -> PurseKey:
        """Issuer and number."""
        return self.issuer, self.purse_number

    @property
    def place(self) -> Place:
        """Its row in entries.jsonl."""
        return Place("entries.jsonl", self.line, self.terminal, self.seq)


_FIELDS = tuple(field.name for field in fields(Posting))


def totals_of(book: Workbook, purse: PurseKey, ctr: int) -> list[Totals]:
    """Cumulative cents per slot after record ``ctr``, the live posting's first.

    Empty when the export does not show it; several when the card was forked.
    """
    if ctr == 0:
        return [(0,) * 6]
    posted = book.ask(
        "SELECT bytes FROM posting JOIN intent ON intent.hash = posting.intent"
        " WHERE issuer = ? AND purse = ? AND ctr = ? AND live",
        (*purse, ctr),
    )
    attested = book.ask(
        "SELECT totals FROM attested WHERE issuer = ? AND purse = ? AND ctr = ?"
        " AND totals != 'null'",
        (*purse, ctr),
    )
    known = [entries.read_intent(complete).totals for (complete,) in posted]
    return known + [tuple(json.loads(totals)) for (totals,) in attested]


def _taken_back(
    void: Posting, sale: Posting | None, worth: dict[int, int], sold: dict[int, int]
) -> dict[int, int]:
    """A void undoes its sale as that is posted: nothing where nothing is, and never more."""
    if sale is None or sale.record_hash != void.prior_hash:
        return {} if void.claim == "none" else worth
    undone = {slot: max(cents, -sold.get(slot, 0)) for slot, cents in worth.items()}
    return {slot: cents for slot, cents in undone.items() if cents}


def _self_made(posting: Posting, before: Posting) -> bool:
    """Whether only the merchant of a proven posting says what the card held before it."""
    told_by_itself = before.merchant == posting.merchant
    return told_by_itself and posting.state == "proven" and before.state != "proven"


class Histories:
    """Walks the postings purse by purse, counter by counter."""

    def __init__(
        self,
        book: Workbook,
        findings: Findings,
        is_proven: Callable[[Posting], bool],
        is_written_over: Callable[[bytes, str], bool],
        may_be_dead: Callable[[Posting], bool],
        is_given_back: Callable[[Posting], bool],
    ) -> None:
        self._book = book
        self._findings = findings
        self._is_proven = is_proven
        self._is_written_over = is_written_over
        self._may_be_dead = may_be_dead
        self._is_given_back = is_given_back

    def walk(self) -> Iterator[tuple[Posting, dict[int, int]]]:
        """Every posting with its cents per slot, negative in a void; what is dead as announced."""
        before: Posting | None = None
        sold: dict[int, int] = {}
        rows = (
            Posting(**dict(zip(_FIELDS, (*row[:-1], entries.read_intent(row[-1])), strict=True)))
            for row in self._book.stream(_POSTINGS)
        )
        for _, rivals in groupby(rows, key=lambda posting: (posting.purse, posting.ctr)):
            live: Posting | None = None
            for posting in list(rivals):
                if not posting.live:
                    if not self._may_be_dead(posting):
                        self._add(Law.CONSERVATION, "SALE_NOT_POSTED", posting, state=posting.state)
                    yield posting, posting.intent.by_slot
                elif live is not None:
                    self._add(Law.ONCE, "POSTED_TWICE", posting, ctr=posting.ctr)
                    yield posting, posting.intent.by_slot
                else:
                    live = posting
                    worth = self._worth(posting, before)
                    if posting.intent.kind == entries.RECORD_VOID:
                        worth = _taken_back(posting, before, worth, sold)
                    yield posting, worth
                    sold = {} if self._is_given_back(posting) else worth
            before = live if live is not None else before

    def _worth(self, posting: Posting, before: Posting | None) -> dict[int, int]:
        self._check_proof(posting)
        self._check_void(posting)
        announced = posting.intent.by_slot
        earlier, linked = self._totals_before(posting, before)
        if earlier is None:
            if not posting.amount_open:
                self._add(Law.CONSERVATION, "AMOUNT_NOT_OPEN", posting, ctr=posting.ctr - 1)
            self._findings.trust("AMOUNT_OPEN")
            return announced
        if posting.amount_open:
            self._add(Law.CONSERVATION, "AMOUNT_HELD_OPEN", posting, ctr=posting.ctr - 1)
        steps = zip(posting.intent.totals, earlier, strict=True)
        worth = {slot: now - then for slot, (now, then) in enumerate(steps, 1) if now != then}
        if not linked:
            # What the till said it had read is not what the card held: the card's
            # neighbours decide (PROTOCOL 1.10), and a sale never becomes a credit.
            self._findings.trust("PREDECESSOR_OTHER")
            sign = -1 if posting.intent.kind == entries.RECORD_VOID else 1
            return {slot: cents for slot, cents in worth.items() if sign * cents > 0}
        if worth != announced:
            cents, wanted = sum(announced.values()), sum(worth.values())
            self._add(Law.CONSERVATION, "AMOUNT_NOT_FOLLOWING", posting, cents=cents, wanted=wanted)
        return worth

    def _totals_before(
        self, posting: Posting, before: Posting | None
    ) -> tuple[Totals | None, bool]:
        """Totals of the record before, and whether it is the one that the till says it read."""
        if before is not None and (before.purse, before.ctr) == (posting.purse, posting.ctr - 1):
            if _self_made(posting, before):
                return None, True
            return before.intent.totals, before.record_hash == posting.prior_hash
        if posting.ctr == 1 and posting.intent.prior[0] == 0:
            return (0,) * 6, True
        for totals, linked in self._book.ask(
            "SELECT totals, record_hash = ? AS linked FROM attested"
            " WHERE issuer = ? AND purse = ? AND ctr = ? ORDER BY linked DESC",
            (posting.prior_hash, *posting.purse, posting.ctr - 1),
        ):
            if totals != "null":
                return tuple(json.loads(totals)), bool(linked)
        return self._announced_before(posting), True

    def _announced_before(self, posting: Posting) -> Totals | None:
        """Totals of the record that it was written over, where its till never told its end."""
        below = announced_as(self._book, posting.intent.prior)
        if below is None:
            return None
        told_by_itself = below.merchant == posting.merchant and posting.state == "proven"
        stands = below.left_open and not told_by_itself
        stands = stands or self._is_written_over(below.digest, below.merchant)
        steps = zip(posting.intent.totals, below.intent.totals, strict=True)
        taken = {slot: now - then for slot, (now, then) in enumerate(steps, 1) if now != then}
        agrees = taken == posting.intent.by_slot  # else another record has its clear part
        return below.intent.totals if stands and agrees else None

    def _check_proof(self, posting: Posting) -> None:
        self._check_attested(posting)
        if posting.state == "unproven":
            self._findings.trust("UNPROVEN")
            return
        self._findings.trust("TC_BY_BACKEND")
        if not self._is_proven(posting):
            self._add(Law.CONSERVATION, "PROVEN_WITHOUT_PROOF", posting)

    def _check_attested(self, posting: Posting) -> None:
        for digest, totals in self._book.ask(
            "SELECT record_hash, totals FROM attested WHERE issuer = ? AND purse = ? AND ctr = ?",
            (*posting.purse, posting.ctr),
        ):
            if digest != posting.record_hash:
                if posting.state == "unproven":
                    self._add(Law.CONSERVATION, "UNPROVEN_CONTRADICTED", posting, ctr=posting.ctr)
                self._findings.trust("FORK_SEEN")
            elif totals != "null" and tuple(json.loads(totals)) != posting.intent.totals:
                self._add(Law.CONSERVATION, "ATTESTED_TOTALS_OTHER", posting, ctr=posting.ctr)

    def _check_void(self, posting: Posting) -> None:
        """A void directly follows its own terminal's sale and takes back no more than it took."""
        voided = posting.intent.voided
        if voided is None:
            return
        sale = self._book.ask(
            "SELECT bytes FROM intent JOIN posting ON posting.intent = intent.hash"
            " WHERE intent.terminal = ?1 AND (intent.seq = ?2 OR posting.seq = ?2)"
            " AND posting.issuer = ?3 AND posting.purse = ?4 AND posting.ctr = ?5",
            (posting.terminal, voided, *posting.purse, posting.ctr - 1),
        )
        took = entries.read_intent(sale[0][0]).by_slot if sale else {}
        gives = posting.intent.by_slot
        if any(-cents > took.get(slot, 0) for slot, cents in gives.items()):
            self._add(Law.CONSERVATION, "VOID_TOO_MUCH", posting, voided=voided)
        used = f"{posting.terminal}:{voided}"
        if self._book.first_use("void", used, posting.line) is not None:
            self._add(Law.ONCE, "VOIDED_TWICE", posting, voided=voided)

    def _add(self, law: Law, code: str, posting: Posting, **facts: str | int) -> None:
        self._findings.add(law, code, posting.place, **facts)
