"""A small town's export, written by hand after docs/export-format.md.

Two shops, two purses: loads, sales, a void, a second load, a late proof, two
batches, one payment that the bank sends back and one that it makes. The
exporter has no part in it, so that exporter and verifier meet in the document.
"""

import json
from copy import deepcopy
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from cardlib.codec.purse import Grant, Info
from cardlib.keys.grants import SignedGrant, sign_grant
from cardlib.keys.intent_rule import record_hash
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.entry import Entry
from cardlib.wire.entry_body import Committed
from cardlib.wire.ids import Seq, TerminalNumber
from cardlib.wire.upload import Acknowledgement, Outcome, Verdict
from tests.integration.verifier.journal import MORNING, CardState, Journal

Row = dict[str, Any]
Files = dict[str, list[Row]]

OPERATOR = SigningKey(bytes([1]) * 32)
ISSUER = SigningKey(bytes([2]) * 32)
TOWN = bytes.fromhex("018153")
POOL = {"municipality": "018153", "programme": 12, "funding_source": "state"}


def purse(number: int) -> CardState:
    """A fresh purse of the town."""
    return CardState(Info(bytes([number]) * 8, TOWN, 1, 0xC0, 1, 4017))


@dataclass
class Town:
    """Collects rows file by file, and books as PROTOCOL 7 says."""

    files: Files = field(default_factory=dict)
    accounts: dict[str, Row] = field(default_factory=dict)

    def row(self, file: str, /, **values: Any) -> None:
        self.files.setdefault(f"{file}.jsonl", []).append(values)

    def account(self, kind: str, card: CardState | None = None, merchant: int | None = None) -> str:
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

    def book(self, source: str, target: str, cents: int, kind: str, document: object) -> None:
        rows = self.files.setdefault("transfers.jsonl", [])
        self.row(
            "transfers", id=len(rows) + 1, kind=kind, **{"from": source, "to": target},
            amount_cents=cents, event_time=MORNING, booked_at=MORNING + 5,
            ref={"kind": kind, "id": str(document)},
        )  # fmt: skip

    def load(
        self, card: CardState, order: int, award: int, grant_seq: int, delta: int
    ) -> SignedGrant:
        """Signs and confirms a grant that carries over what the wallet holds."""
        before = [
            row
            for row in self.files.get("grants.jsonl", [])
            if row["purse"] == card.info.purse.hex()
        ]
        held = 0
        if before:
            held = Grant.decode(bytes.fromhex(before[-1]["grant"])).granted_total - card.totals[0]
            before[-1]["state"] = "superseded"
        grant = Grant(
            slot=1, grant_seq=grant_seq, programme=12, categories=0xF, valid_from=2400,
            valid_to=2860, granted_total=card.totals[0] + held + delta,
            base_spent=card.totals[0], base_ctr=card.ctr, flags=0, day_limit_eur=50, issuer_key=1,
        )  # fmt: skip
        signed = sign_grant(ISSUER, card.info.core, grant)
        where = {"issuer": TOWN.hex(), "purse": card.info.purse.hex()}
        self.row(
            "orders", order=order, source="award", source_ref=None, award=award, **where, slot=1,
            programme=12, funding_source="state", delta_cents=delta, carried_over_cents=held,
            state="on_card", approved_by="Anna", approved_at=MORNING,
        )  # fmt: skip
        self.row(
            "grants", order=order, **where, info_core=card.info.core.hex(),
            grant=bytes(grant).hex(), signature=signed.signature.hex(), state="on_card",
            confirmed_by=f"session:{order}",
        )  # fmt: skip
        self.book(self.account("committed"), self.account("loading"), delta, "order", order)
        self.book(self.account("loading"), self.account("on_card", card), delta, "order", order)
        return signed

    def post(
        self, card: CardState, entry: Entry, cents: int, merchant: int, state: str = "proven"
    ) -> Row:
        """Books a sale (a void: negative cents) and answers its verdict."""
        claim = (
            self.account("payable", merchant=merchant)
            if state == "proven"
            else self.account("suspense")
        )
        wallet = self.account("on_card", card)
        source, target = (wallet, claim) if cents > 0 else (claim, wallet)
        document = f"{entry.header.terminal}:{entry.header.seq}"
        self.book(source, target, abs(cents), "entry", document)
        kind = "payable" if state == "proven" else "suspense"
        return {"state": state, "amount_open": False, "claim": kind, "reason": None}

    def attest(self, card: CardState) -> None:
        """A card session read the newest record."""
        self.row(
            "attestations", issuer=TOWN.hex(), purse=card.info.purse.hex(), ctr=card.ctr,
            record=card.record.hex(), record_hash=record_hash(card.record).hex(),
            totals=list(card.totals), source="card_session", source_ref="1", index=1,
            random="00" * 8, tc="00" * 8,
        )  # fmt: skip

    def journal(self, journal: Journal, merchant: int, postings: dict[int, Row]) -> None:
        """Files a terminal with all its entries, and one acknowledgement of them."""
        self.row(
            "terminals", terminal=journal.number, merchant=merchant,
            public_key=journal.key.public.raw.hex(), certificate=journal.certificate.hex(),
        )  # fmt: skip
        for entry in journal.entries:
            self.row(
                "entries", terminal=journal.number, seq=entry.header.seq,
                bytes=entry.complete.hex(), verdict="accepted", reason=None,
                posting=postings.get(entry.header.seq),
            )  # fmt: skip
        verdicts = tuple(
            Verdict(entry.header.seq, entry.hash, Outcome.CREATED) for entry in journal.entries
        )
        last = journal.entries[-1]
        answer = Acknowledgement(
            terminal=TerminalNumber(journal.number), high_seq=Seq(last.header.seq),
            high_hash=last.hash, server_time=MORNING, nonce=1, bundle_version=1, verdicts=verdicts,
        )  # fmt: skip
        self.row("acknowledgements", terminal=journal.number, bytes=answer.sign(OPERATOR).hex())

    def settle(self, batch: int, merchant: int, lines: dict[str, int], outcome: str) -> None:
        """One batch, one payment, one outcome."""
        total = sum(lines.values())
        payable, waiting = (
            self.account("payable", merchant=merchant),
            self.account("in_payment", merchant=merchant),
        )
        self.book(payable, waiting, total, "batch", batch)
        target = payable if outcome == "failed" else self.account("paid", merchant=merchant)
        self.book(waiting, target, total, "outcome", f"bank-{batch}")
        self.row(
            "batches", batch=batch, merchant=merchant, period_from=MORNING, period_to=MORNING + 99,
            state=outcome, total_cents=total,
            lines=[
                {"entry": entry, "amount_cents": cents, "state": "included", "replaces": None}
                for entry, cents in lines.items()
            ],
        )  # fmt: skip
        self.row(
            "payments", payment=batch, batch=batch, end_to_end_id=f"E2E{batch}",
            amount_cents=total, state=outcome, outcome_ref=f"bank-{batch}",
        )  # fmt: skip


def build(*, fork: bool = False) -> Files:
    """The rows of a good export; with ``fork``, one card served two tills at once."""
    town = Town()
    _found(town)
    anna, bruno = purse(0xA1), purse(0xB2)
    for card in (anna, bruno):
        town.row(
            "purses", issuer=TOWN.hex(), purse=card.info.purse.hex(), info_core=card.info.core.hex()
        )
        town.attest(card)
    baker, grocer = (Journal.enrolled(number, number - 500, OPERATOR) for number in (501, 502))
    postings: dict[int, dict[int, Row]] = {1: {}, 2: {}}

    def post(
        card: CardState, entry: Entry, cents: int, merchant: int, state: str = "proven"
    ) -> str:
        postings[merchant][entry.header.seq] = town.post(card, entry, cents, merchant, state)
        return f"{entry.header.terminal}:{entry.header.seq}"

    first, second = town.load(anna, 1, 1, 1, 10_000), town.load(bruno, 2, 2, 1, 8_000)
    baker.saw(first)
    bread = post(anna, baker.sale(anna, first, 1_250), 1_250, 1)
    grocer.saw(first)
    milk = post(anna, grocer.sale(anna, first, 700), 700, 2)
    sold = grocer.entries[-2].header.seq
    before = anna.record
    back = post(anna, grocer.sale(anna, first, 200, voided=sold), -200, 2)
    town.attest(anna)
    if fork:
        twin = CardState(anna.info, anna.ctr - 1, [1_950, 0, 0, 0, 0, 0], bytes(54))
        twin.record = before
        post(twin, baker.sale(twin, first, 100), 100, 1)
    third = town.load(anna, 3, 1, 2, 5_000)
    cake = post(anna, baker.sale(anna, third, 3_000), 3_000, 1)
    fruit = post(bruno, grocer.sale(bruno, second, 2_000), 2_000, 2)
    post(bruno, baker.sale(bruno, second, 900, tc=False), 900, 1, "unproven")
    for journal in (baker, grocer):
        journal.heartbeat()
    town.settle(1, 1, {bread: 1_250, cake: 3_000}, "paid")
    town.settle(2, 2, {milk: 700, back: -200}, "failed")
    town.settle(3, 2, {milk: 700, back: -200, fruit: 2_000}, "paid")
    town.journal(baker, 1, postings[1])
    town.journal(grocer, 2, postings[2])
    town.files["accounts.jsonl"] = list(town.accounts.values())
    return chain(town.files)


def _found(town: Town) -> None:
    """Operator, issuer, shops, money from the state, two awards."""
    town.row("operator", kid=OPERATOR.public.kid.hex(), public_key=OPERATOR.public.raw.hex())
    town.row("issuers", issuer=TOWN.hex(), key_id=1, public_key=ISSUER.public.raw.hex())
    for merchant in (1, 2):
        town.row("merchants", merchant=merchant, name=f"Shop {merchant}", iban=None)
    town.row(
        "fundings",
        funding=1,
        **POOL,
        amount_cents=100_000,
        act="DD 1",
        booked_by="Ugo",
        booked_at=MORNING,
    )
    town.book(town.account("external"), town.account("fund"), 100_000, "funding", 1)
    for award, cents in ((1, 15_000), (2, 10_000)):
        town.row(
            "awards", award=award, **POOL, amount_cents=cents, withdrawn_cents=0, act="DD 2",
            approved_by="Anna", approved_at=MORNING,
        )  # fmt: skip
        town.book(town.account("fund"), town.account("committed"), cents, "award", award)


def chain(files: Files) -> Files:
    """Gives every transfer the hash of the one before and its own."""
    head = bytes(32)
    for row in files["transfers.jsonl"]:
        clear = {key: value for key, value in row.items() if key not in ("prev_hash", "hash")}
        text = json.dumps(clear, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        row["prev_hash"], head = head.hex(), sha256(head + text.encode()).digest()
        row["hash"] = head.hex()
    return files


NAMES = (
    "accounts", "acknowledgements", "attestations", "awards", "batches", "cases", "entries",
    "fundings", "grants", "issuers", "merchants", "operator", "orders", "payments", "purses",
    "statements", "terminals", "transfers",
)  # fmt: skip


def write(files: Files, directory: Path) -> Path:
    """Writes the files with a manifest that fits them, whatever they say."""
    directory.mkdir(parents=True, exist_ok=True)
    listed = {}
    for name in NAMES:
        rows = files.get(f"{name}.jsonl", [])
        octets = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        (directory / f"{name}.jsonl").write_bytes(octets)
        listed[f"{name}.jsonl"] = {"sha256": sha256(octets).hexdigest(), "rows": len(rows)}
    last = files["transfers.jsonl"][-1]
    manifest = {
        "format": 1, "created_at": MORNING, "operator": "Operator", "currency": "EUR",
        "ledger_head": {"transfer": last["id"], "hash": last["hash"]}, "files": listed,
    }  # fmt: skip
    (directory / "manifest.json").write_text(json.dumps(manifest))
    return directory


_GOOD = build()


def good() -> Files:
    """A copy of the good export, to be spoilt."""
    return deepcopy(_GOOD)


__all__ = ["Committed", "build", "chain", "good", "write"]
