"""A town's books, kept by hand after docs/export-format.md: two shops, two purses.

The exporter has no part in it, so that exporter and verifier meet in the document.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from cardlib.codec.purse import Grant, Info, SpendType
from cardlib.keys.grants import SignedGrant, sign_grant
from cardlib.keys.intent_rule import record_hash
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.entry import Entry
from cardlib.wire.entry_body import Intent
from cardlib.wire.ids import Seq, TerminalNumber
from cardlib.wire.ledger_head import LedgerHead
from cardlib.wire.merkle import Tree
from cardlib.wire.statement import DayRoot, JournalHead, Standing, StatedEntry, Statement
from cardlib.wire.upload import Acknowledgement, Outcome, Verdict
from tests.integration.verifier.export_files import Files, Row, chain
from tests.integration.verifier.journal import MORNING, CardState, Journal

OPERATOR = SigningKey(bytes([1]) * 32)
ISSUER = SigningKey(bytes([2]) * 32)
TOWN = bytes.fromhex("018153")
POOL = {"municipality": "018153", "programme": 12, "funding_source": "state"}


EVENTS = {
    ("funding", "external", "fund"): "funding",
    ("funding", "fund", "external"): "funding_returned",
    ("award", "committed", "fund"): "award_withdrawn",
    ("order", "committed", "loading"): "grant_signed",
    ("order", "loading", "committed"): "order_void",
    ("order", "loading", "on_card"): "grant_confirmed",
    ("order", "expired_pending", "on_card"): "wallet_revived",
    ("order", "on_card", "expired"): "wallet_left",
    ("outcome", "in_payment", "paid"): "paid",
    ("outcome", "in_payment", "payable"): "failed",
    ("batch", "in_payment", "payable"): "failed",
    ("expiry", "on_card", "expired_pending"): "expired_pending",
    ("expiry", "expired_pending", "expired"): "expired",
    ("expiry", "expired", "fund"): "expired_released",
}


def event_of(document: str, source: str, target: str) -> str:
    """The word for what happened, from the document and the way of the money."""
    way = document, source.partition("/")[0], target.partition("/")[0]
    plain = {"entry": "sale_proven", "record": "sale_proven", "case": "case_closed"}
    return EVENTS.get(way, plain.get(document, document))


DAY_START = 1_789_941_600
"""The midnight before MORNING in Europe/Rome."""


def received_at(entry: Entry) -> int:
    """When the backend got it: the first five of a journal that day, the rest the next."""
    return MORNING - 3600 + (86_400 if entry.header.seq > 5 else 0)


def name_of(entry: Entry) -> str:
    """``T:S``."""
    return f"{entry.header.terminal}:{entry.header.seq}"


def record_name(card: CardState) -> str:
    """How a transfer names the card's newest record."""
    digest = record_hash(card.record)[:4].hex()
    return f"{TOWN.hex()}:{card.info.purse.hex()}:{card.ctr}:{digest}"


@dataclass
class Town:
    """Collects rows file by file, and books as PROTOCOL 7 says."""

    files: Files = field(default_factory=dict)
    accounts: dict[str, Row] = field(default_factory=dict)
    postings: dict[str, Row] = field(default_factory=dict)
    booked_at: int = MORNING + 5
    bound: bool = False
    """Whether acknowledgements name the ledger's head."""

    def __post_init__(self) -> None:
        self.anna, self.bruno = self.purse(0xA1), self.purse(0xB2)
        self.baker, self.grocer = (
            Journal.enrolled(number, number - 500, OPERATOR) for number in (501, 502)
        )
        self.row("operator", kid=OPERATOR.public.kid.hex(), public_key=OPERATOR.public.raw.hex())
        self.row("issuers", issuer=TOWN.hex(), key_id=1, public_key=ISSUER.public.raw.hex())
        for merchant in (1, 2):
            self.row("merchants", merchant=merchant, name=f"Shop {merchant}", iban=None)
        self.fund(1, 100_000)
        self.award(1, 15_000)
        self.award(2, 10_000)

    # --- documents ---------------------------------------------------------------------------

    def row(self, file: str, /, **values: Any) -> None:
        """Adds a row to a file."""
        self.files.setdefault(f"{file}.jsonl", []).append(values)

    def purse(self, number: int) -> CardState:
        """A fresh purse, attested when it was made."""
        card = CardState(Info(bytes([number]) * 8, TOWN, 1, 0xC0, 1, 4017))
        core = card.info.core.hex()
        self.row("purses", issuer=TOWN.hex(), purse=card.info.purse.hex(), info_core=core)
        self.attest(card)
        return card

    def attest(self, card: CardState) -> None:
        """A card session read the newest record."""
        self.row(
            "attestations", issuer=TOWN.hex(), purse=card.info.purse.hex(), ctr=card.ctr,
            record=card.record.hex(), record_hash=record_hash(card.record).hex(),
            totals=list(card.totals), source="card_session", source_ref="1", index=1,
            random="00" * 8, tc="00" * 8,
        )  # fmt: skip

    def fund(self, funding: int, cents: int) -> None:
        """Money from the state."""
        self.row(
            "fundings", funding=funding, **POOL, amount_cents=cents, act="DD 1",
            booked_by="Ugo", booked_at=MORNING,
        )  # fmt: skip
        self.book("external", "fund", cents, "funding", funding)

    def award(self, award: int, cents: int, withdrawn: int = 0) -> None:
        """Money for a household."""
        self.row(
            "awards", award=award, **POOL, amount_cents=cents, withdrawn_cents=withdrawn,
            act="DD 2", requested_by="Lia", approved_by="Anna", approved_at=MORNING,
        )  # fmt: skip
        self.book("fund", "committed", cents, "award", award)
        self.book("committed", "fund", withdrawn, "award", award)

    def sign(
        self, card: CardState, order: int, grant_seq: int, delta: int, *, award: int = 1,
        carried: int = 0, state: str = "on_card",
    ) -> SignedGrant:  # fmt: skip
        """An order and its grant, signed: committed → loading."""
        grant = Grant(
            slot=1, grant_seq=grant_seq, programme=12, categories=0xF, valid_from=2400,
            valid_to=2860, granted_total=card.totals[0] + carried + delta,
            base_spent=card.totals[0], base_ctr=card.ctr, flags=0, day_limit_eur=50, issuer_key=1,
        )  # fmt: skip
        signed = sign_grant(ISSUER, card.info.core, grant)
        where = {"issuer": TOWN.hex(), "purse": card.info.purse.hex()}
        self.row(
            "orders", order=order, source="award", source_ref=None, award=award, **where, slot=1,
            programme=12, funding_source="state", delta_cents=delta, carried_over_cents=carried,
            state=state, requested_by="Lia", approved_by="Anna", approved_at=MORNING,
        )  # fmt: skip
        self.row(
            "grants", order=order, **where, info_core=card.info.core.hex(),
            grant=bytes(grant).hex(), signature=signed.signature.hex(), state=state,
            confirmed_by=f"session:{order}" if state == "on_card" else None,
        )  # fmt: skip
        self.book("committed", "loading", delta, "order", order)
        return signed

    def confirm(self, card: CardState, order: int, delta: int) -> None:
        """The card was seen to hold it: loading → on_card; the grant before is superseded."""
        for row in self.files["grants.jsonl"]:
            if row["purse"] == card.info.purse.hex() and row["order"] != order:
                row["state"] = "superseded"
        self.book("loading", self.wallet(card), delta, "order", order)

    def load(
        self, card: CardState, order: int, grant_seq: int, delta: int, *, award: int = 1,
        carried: int = 0,
    ) -> SignedGrant:  # fmt: skip
        """Signed and confirmed in one session."""
        signed = self.sign(card, order, grant_seq, delta, award=award, carried=carried)
        self.confirm(card, order, delta)
        return signed

    # --- the ledger ----------------------------------------------------------------------------

    def account(self, kind: str, card: CardState | None = None, merchant: int | None = None) -> str:
        """The account's code; made when it is new."""
        owner = "" if card is None else "/" + card.info.purse.hex()
        code = f"{kind}{owner}" + ("" if merchant is None else f"/{merchant}")
        self.accounts.setdefault(
            code,
            {
                "account": code, "kind": kind, **POOL,
                "issuer": None if card is None else TOWN.hex(),
                "purse": None if card is None else card.info.purse.hex(),
                "slot": None if card is None else 1, "merchant": merchant, "case": None,
            },
        )  # fmt: skip
        return code

    def wallet(self, card: CardState) -> str:
        return self.account("on_card", card)

    def payable(self, merchant: int) -> str:
        return self.account("payable", merchant=merchant)

    def book(self, source: str, target: str, cents: int, kind: str, document: object) -> None:
        """One transfer; a negative amount goes the other way, zero goes nowhere."""
        if cents < 0:
            source, target, cents = target, source, -cents
        for code in (source, target):
            if "/" not in code:
                self.account(code)
        if cents:
            self.row(
                "transfers", id=len(self.files.get("transfers.jsonl", [])) + 1,
                kind=event_of(kind, source, target), **{"from": source, "to": target},
                amount_cents=cents, event_time=self.time_of(kind, str(document)),
                booked_at=self.booked_at, ref={"kind": kind, "id": str(document)},
            )  # fmt: skip

    def time_of(self, kind: str, document: str) -> int:
        """When a sale happened: as its till signed it."""
        if kind != "entry":
            return MORNING
        terminal, _, seq = document.partition(":")
        journal = next(till for till in (self.baker, self.grocer) if till.number == int(terminal))
        intent = journal.entries[int(seq) - 2].body
        return intent.plan.time if isinstance(intent, Intent) else MORNING

    def verdict(self, entry: Entry, state: str, claim: str, **more: Any) -> str:
        """What the export says of a posting."""
        self.postings[name_of(entry)] = {
            "state": state, "amount_open": False, "claim": claim, "reason": None, **more,
        }  # fmt: skip
        return name_of(entry)

    def post(
        self, card: CardState, entry: Entry, cents: int, merchant: int, state: str = "proven"
    ) -> str:
        """Books a sale (a void: negative cents) in the ordinary way."""
        claim = "payable" if state == "proven" else "suspense"
        target = self.payable(merchant) if state == "proven" else claim
        self.book(self.wallet(card), target, cents, "entry", name_of(entry))
        return self.verdict(entry, state, claim)

    def settle(self, batch: int, merchant: int, lines: dict[str, int], outcome: str) -> None:
        """One batch, one payment, one outcome."""
        total, self.booked_at = sum(lines.values()), MORNING + 200
        waiting = self.account("in_payment", merchant=merchant)
        target = (
            self.payable(merchant)
            if outcome == "failed"
            else self.account("paid", merchant=merchant)
        )
        self.book(self.payable(merchant), waiting, total, "batch", batch)
        self.book(waiting, target, total, "outcome", f"bank-{batch}")
        self.batch(batch, merchant, lines, outcome)
        self.row(
            "payments", payment=batch, batch=batch, end_to_end_id=f"E2E{batch}",
            amount_cents=total, state=outcome, outcome_ref=f"bank-{batch}",
        )  # fmt: skip

    def batch(self, batch: int, merchant: int, lines: dict[str, int], state: str) -> None:
        """The row of a batch."""
        self.row(
            "batches", batch=batch, merchant=merchant, period_from=MORNING, period_to=MORNING + 99,
            state=state, total_cents=sum(lines.values()), created_by="Lia",
            approvals=[{"by": "Anna", "at": MORNING + 100}],
            lines=[
                {"entry": entry, "amount_cents": cents, "state": "included", "replaces": None}
                for entry, cents in lines.items()
            ],
        )  # fmt: skip

    # --- what binds the ledger from outside --------------------------------------------------

    def head(self) -> LedgerHead:
        """The ledger's head as it stands now."""
        last = chain({"transfers.jsonl": self.files["transfers.jsonl"]})["transfers.jsonl"][-1]
        return LedgerHead(last["id"], bytes.fromhex(last["hash"]))

    def statement(self, journal: Journal, lines: dict[str, int]) -> bytes:
        """What the operator signs for the merchant of ``journal``: proven ``lines``, in cents."""
        entries = {name_of(entry): entry for entry in journal.entries}
        received = [
            entry.hash for till in (self.baker, self.grocer) for entry in till.entries
            if received_at(entry) < DAY_START + 86_400
        ]  # fmt: skip
        return Statement(
            merchant=journal.number - 500, merchant_name="Shop", operator="Operator",
            issued_at=MORNING, time_from=DAY_START, time_to=DAY_START + 86_400,
            lines=tuple(
                StatedEntry(
                    TerminalNumber(journal.number), entries[name].header.seq, entries[name].hash,
                    SpendType.SALE if cents > 0 else SpendType.VOID, abs(cents), Standing.PROVEN,
                )
                for name, cents in lines.items()
            ),
            journals=(
                JournalHead(
                    TerminalNumber(journal.number), journal.entries[-1].header.seq,
                    journal.entries[-1].hash,
                ),
            ),
            days=(DayRoot(DAY_START, len(received), Tree(received).root),),
            ledger=self.head(),
        ).sign(OPERATOR)  # fmt: skip

    # --- the export ----------------------------------------------------------------------------

    def exported(self) -> Files:
        """All rows, journals and accounts included, hashed."""
        for journal in (self.baker, self.grocer):
            self._journal(journal)
        self.files["accounts.jsonl"] = list(self.accounts.values())
        return chain(self.files)

    def _journal(self, journal: Journal) -> None:
        """A terminal with all its entries, and one acknowledgement of them."""
        journal.heartbeat()
        self.row(
            "terminals", terminal=journal.number, merchant=journal.number - 500,
            public_key=journal.key.public.raw.hex(), certificate=journal.certificate.hex(),
        )  # fmt: skip
        for entry in journal.entries:
            self.row(
                "entries", terminal=journal.number, seq=entry.header.seq,
                bytes=entry.complete.hex(), verdict="accepted", reason=None,
                received_at=received_at(entry), posting=self.postings.get(name_of(entry)),
            )  # fmt: skip
        verdicts = tuple(
            Verdict(entry.header.seq, entry.hash, Outcome.CREATED) for entry in journal.entries
        )
        last = journal.entries[-1]
        answer = Acknowledgement(
            terminal=TerminalNumber(journal.number), high_seq=Seq(last.header.seq),
            high_hash=last.hash, server_time=MORNING, nonce=1, bundle_version=1, verdicts=verdicts,
            ledger=self.head() if self.bound else None,
        )  # fmt: skip
        self.row("acknowledgements", terminal=journal.number, bytes=answer.sign(OPERATOR).hex())


def twin_of(card: CardState) -> CardState:
    """The same card as another till saw it."""
    return replace(card, totals=list(card.totals))
