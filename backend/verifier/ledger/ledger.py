"""The ledger as exported: accounts, and transfers in their order.

Checked here: every transfer is the next one, carries the hash of the one before
and its own, moves a positive amount between two accounts of one municipality,
programme and funding source, by a route that PROTOCOL 7 knows. Whether the
documents demand it is judged by ``conservation``, ``loads`` and ``settlement``.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from backend.verifier.export.reader import Export, Row
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.ledger.transfer_kinds import is_of_kind
from backend.verifier.registry import TRAINING_ISSUER, PurseKey
from backend.verifier.workbook import Workbook

SLOT_KINDS = frozenset({"on_card", "expired_pending", "blocked"})
CONTRA_KINDS = frozenset({"external", "exposure", "loss"})
_CLAIMS = frozenset({"payable", "suspense", "refund_due"})
_PRESENT = SLOT_KINDS | {"exposure"}
ROUTES = frozenset(
    {
        ("external", "fund"), ("fund", "external"), ("fund", "committed"), ("committed", "fund"),
        ("committed", "loading"), ("refund_due", "loading"), ("blocked", "loading"),
        ("loading", "committed"), ("loading", "refund_due"), ("loading", "blocked"),
        ("loading", "on_card"), ("on_card", "exposure"), ("exposure", "on_card"),
        ("expired_pending", "on_card"), ("on_card", "expired_pending"), ("on_card", "expired"),
        ("expired_pending", "expired"), ("expired", "fund"), ("on_card", "blocked"),
        ("blocked", "on_card"), ("blocked", "expired_pending"),
        ("exposure", "blocked"), ("exposure", "expired_pending"), ("blocked", "exposure"),
        ("expired_pending", "exposure"),
        ("suspense", "payable"), ("suspense", "refund_due"), ("payable", "suspense"),
        ("payable", "refund_due"), ("payable", "in_payment"), ("in_payment", "paid"),
        ("in_payment", "payable"), ("paid", "payable"), ("fund", "exposure"), ("loss", "exposure"),
        ("exposure", "fund"), ("exposure", "loss"),
    }
    | {(present, claim) for present in _PRESENT for claim in _CLAIMS}
    | {(claim, present) for present in _PRESENT for claim in _CLAIMS}
)  # fmt: skip
_HASHED = ("id", "kind", "from", "to", "amount_cents", "event_time", "booked_at")
NO_HASH = bytes(32)


Pool = tuple[str, int, str]
"""Municipality, programme, funding source: money never leaves its pool."""


def spot_of(kind: str, pool: Iterable[object]) -> str:
    """``committed 12/1``: a kind of account of a pool (programme, funding source), in words."""
    return f"{kind} {'/'.join(map(str, pool))}"


@dataclass(frozen=True, slots=True)
class Account:
    """One account; what does not apply to its kind is None."""

    id: str
    kind: str
    pool: Pool
    purse: PurseKey | None
    slot: int | None
    merchant: str | None
    case: str | None

    @property
    def programme(self) -> int:
        """The programme's number."""
        return self.pool[1]


@dataclass(frozen=True, slots=True)
class Transfer:
    """One booked movement."""

    id: int
    source: Account
    target: Account
    cents: int
    booked_at: int
    line: int


class Ledger:
    """Accounts in memory, transfers in the workbook."""

    def __init__(self, book: Workbook, findings: Findings) -> None:
        self._book = book
        self._findings = findings
        self.accounts: dict[str, Account] = {}
        self._slots: dict[tuple[PurseKey, int | None], list[Account]] = {}
        self.transfers = 0
        self.head = NO_HASH
        """Hash of the last transfer."""

    def read(self, export: Export) -> None:
        """Reads accounts.jsonl and transfers.jsonl."""
        for row in export.rows("accounts.jsonl"):
            self._account(row)
        for row in export.rows("transfers.jsonl"):
            self._transfer(row, self.head)
            self.head = row["hash"]
            self.transfers = row["id"]
        named = export.manifest["ledger_head"]
        if (named["transfer"], named["hash"]) != (self.transfers, self.head):
            place = Place("manifest.json", document="ledger_head")
            self._add("LEDGER_HEAD_OTHER", place, head=self.transfers, named=named["transfer"])

    def of(self, kind: str, document: str) -> list[Transfer]:
        """The transfers that name a document, in order; the document counts as judged."""
        self._book.note("judged", kind, document)
        return [
            Transfer(number, self.accounts[source], self.accounts[target], cents, booked_at, line)
            for number, source, target, cents, booked_at, line in self._book.ask(
                "SELECT id, src, dst, cents, booked_at, line FROM transfer"
                " WHERE ref_kind = ? AND ref_id = ? ORDER BY id",
                (kind, document),
            )
        ]

    def of_slot(self, purse: PurseKey, slot: int) -> list[Account]:
        """The accounts on_card, expired_pending and blocked of one wallet."""
        return self._slots.get((purse, slot), [])

    def confirmed_at(self, order: str) -> int:
        """The transfer that put an order's grant on its card; 0 when there is none."""
        return next(
            (
                transfer.id
                for transfer in self.of("order", order)
                if (transfer.source.kind, transfer.target.kind) == ("loading", "on_card")
            ),
            0,
        )

    def signed_at(self, order: str) -> int | None:
        """The transfer by which an order's grant took its money; None when it took none."""
        return next((transfer.id for transfer in self.of("order", order)), None)

    def left(
        self, purse: PurseKey, slot: int, grant_seq: int, since: int, until: int | None = None
    ) -> int:
        """Cents that a wallet gave up: expired under ``grant_seq``, or moved to another card.

        Only moves after transfer ``since``, up to ``until``, count; an expiry names its grant,
        and counts whenever it was. What came back from an order counts back. What a new grant
        did not carry over belongs to that grant's order.
        """
        cents, last = 0, self.transfers if until is None else until
        for account in self.of_slot(purse, slot):
            for number, target, amount, kind, document in self._book.ask(
                "SELECT id, dst, cents, ref_kind, ref_id FROM transfer WHERE src = ? AND id > ?",
                (account.id, since),
            ):
                expired = kind == "expiry" and document.rpartition(":")[2] == str(grant_seq)
                counts = expired or number <= last
                if counts and self.accounts[target].kind == ("expired" if expired else "loading"):
                    cents += amount
            if account.kind == "blocked":
                cents -= self._back_from_orders(account.id, since, last)
        return cents

    def given_up(self, purse: PurseKey, slot: int, since: int, until: int) -> list[int]:
        """The transfers by which a wallet gave something up or got it back, in order."""
        return sorted(
            {
                number
                for account in self.of_slot(purse, slot)
                for number, source, target in self._book.ask(
                    "SELECT id, src, dst FROM transfer"
                    " WHERE (src = ? OR dst = ?) AND id > ? AND id <= ?",
                    (account.id, account.id, since, until),
                )
                if {self.accounts[source].kind, self.accounts[target].kind} & {"expired", "loading"}
            }
        )

    def _back_from_orders(self, account: str, since: int, until: int) -> int:
        returned = self._book.ask(
            "SELECT src, cents FROM transfer WHERE dst = ? AND id > ? AND id <= ?",
            (account, since, until),
        )
        return sum(cents for source, cents in returned if self.accounts[source].kind == "loading")

    def balance(self, account: str, until: int | None = None) -> int:
        """What came in less what went out, up to transfer ``until`` (None: all), in cents."""
        last = self.transfers if until is None else until
        query = (
            "SELECT (SELECT coalesce(sum(cents), 0) FROM transfer WHERE dst = ?1 AND id <= ?2)"
            " - (SELECT coalesce(sum(cents), 0) FROM transfer WHERE src = ?1 AND id <= ?2)"
        )
        return int(self._book.ask(query, (account, last))[0][0])

    def _account(self, row: Row) -> None:
        number, kind = row["account"], row["kind"]
        place = row.place(number)
        if not self._findings.once(self._book, "account", number, place):
            return
        purse = None if row["purse"] is None else (row["issuer"], row["purse"])
        if kind in SLOT_KINDS and (purse is None or row["issuer"] is None or row["slot"] is None):
            self._add("ACCOUNT_WITHOUT_PURSE", place, account=number)
        if row["issuer"] == TRAINING_ISSUER:
            self._add("TRAINING_IN_LEDGER", place, account=number)
        account = Account(
            number, kind, pool_of(row), purse, row["slot"], row["merchant"], row["case"]
        )
        self.accounts[number] = account
        if kind in SLOT_KINDS and purse is not None:
            self._slots.setdefault((purse, row["slot"]), []).append(account)

    def _transfer(self, row: Row, head: bytes) -> None:
        place, number = row.place(f"transfer {row['id']}"), row["id"]
        if number != self.transfers + 1:
            self._add("TRANSFER_MISSING", place, wanted=self.transfers + 1, found=number)
        if row["prev_hash"] != head or transfer_hash(row.raw) != row["hash"]:
            self._add("TRANSFER_CHANGED", place, transfer=number)
        if self._is_bookable(row, place):
            ref = row["ref"]
            self._book.note(
                "transfer", number, row["from"], row["to"], row["amount_cents"],
                ref["kind"], ref["id"], row["booked_at"], row.line, row["hash"],
                row["event_time"],
            )  # fmt: skip

    def _is_bookable(self, row: Row, place: Place) -> bool:
        source, target = self.accounts.get(row["from"]), self.accounts.get(row["to"])
        if source is None or target is None:
            self._add("TRANSFER_ACCOUNT_UNKNOWN", place, transfer=row["id"])
            return False
        if row["amount_cents"] <= 0:
            self._add("TRANSFER_NOT_POSITIVE", place, transfer=row["id"])
        if source.pool != target.pool:
            self._add("TRANSFER_CROSSES", place, transfer=row["id"])
        if (source.kind, target.kind) not in ROUTES:
            self._add(
                "TRANSFER_ROUTE", place, transfer=row["id"], source=source.kind, target=target.kind
            )
            return True
        fits = is_of_kind(row["kind"], row["ref"]["kind"], (source.kind, target.kind))
        if not fits:
            code = "TRANSFER_KIND_UNKNOWN" if fits is None else "TRANSFER_OTHER_KIND"
            self._add(code, place, transfer=row["id"], kind=row["kind"])
        return True

    def _add(self, code: str, place: Place, **facts: str | int) -> None:
        self._findings.add(Law.CONSERVATION, code, place, **facts)


def pool_of(row: Row) -> Pool:
    """The pool that a row names."""
    return row["municipality"], row["programme"], row["funding_source"]


def transfer_hash(raw: Mapping[str, Any]) -> bytes:
    """SHA-256 over the hash before and the transfer's fields as sorted, compact JSON."""
    fields = {name: raw[name] for name in _HASHED}
    fields["ref"] = {"kind": raw["ref"]["kind"], "id": raw["ref"]["id"]}
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # A lone surrogate has no UTF-8 form; it cannot be what was hashed.
    octets = text.encode("utf-8", "replace")
    return sha256(bytes.fromhex(raw["prev_hash"]) + octets).digest()
