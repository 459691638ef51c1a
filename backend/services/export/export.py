"""What an export says, row by row: docs/export-format.md is its law.

Rows are read inside one unit of work, so that they show one state of the books. Stored
bytes and hashes are written as they are stored; nothing is hashed or signed anew.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from heapq import merge
from pathlib import Path
from typing import Any

from backend.adapters.export_files import finish_export, start_export, write_lines
from backend.adapters.repositories.verdicts import Posted
from backend.adapters.tables.acts import PurseBlockRow
from backend.adapters.tables.cards import LoadOrderRow
from backend.adapters.tables.journals import EntryRow, QuarantineRow
from backend.adapters.tables.settlement import SettlementBatchRow
from backend.adapters.tables.verdicts import CaseRow, PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.ledger import AccountKind
from backend.domain.verdicts import PREV_SIZE
from backend.services.settlement.reviews import rule_of
from backend.services.unit_of_work import Work
from cardlib.codec.purse import Spend
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.entry_header import EntryType
from cardlib.wire.ids import TRAINING_ISSUER

Row = dict[str, Any]
CLOSING = (EntryType.SALE, EntryType.RECOVERED, EntryType.VOID)
_SLOT_KINDS = (AccountKind.ON_CARD, AccountKind.EXPIRED_PENDING, AccountKind.BLOCKED)
_CHUNK = 1000


class Export:
    """The rows of every file, from one unit of work."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._issuers = {town.id: town.issuer for town in unit.programmes.municipalities()}
        self._numbers = {row.id: row.number for row in unit.programmes.programmes()}
        self._purses = {row.id: row for row in unit.cards.purses()}
        self._blocks: dict[int, list[PurseBlockRow]] = {}
        for block in unit.acts.blocks():
            self._blocks.setdefault(block.purse_id, []).append(block)
        self._terminals = [row for row in unit.terminals.all() if not row.training]

    def files(self) -> Mapping[str, Callable[[], Iterator[Row]]]:
        """The name of every file and what gives its rows."""
        return {
            "operator.jsonl": self._operator,
            "issuers.jsonl": self._issuer_keys,
            "merchants.jsonl": self._merchants,
            "terminals.jsonl": self._terminal_rows,
            "purses.jsonl": self._purse_rows,
            "fundings.jsonl": self._fundings,
            "awards.jsonl": self._awards,
            "orders.jsonl": self._orders,
            "grants.jsonl": self._grants,
            "entries.jsonl": self._entries,
            "attestations.jsonl": self._attestations,
            "acknowledgements.jsonl": self._acknowledgements,
            "accounts.jsonl": self._accounts,
            "transfers.jsonl": self._transfers,
            "cases.jsonl": self._cases,
            "statements.jsonl": self._statements,
            "batches.jsonl": self._batches,
            "payments.jsonl": self._payments,
            "returns.jsonl": self._returns,
            "given_statements.jsonl": self._given_statements,
        }

    def manifest(self, now: int, files: Mapping[str, Row]) -> Row:
        """The manifest; ``files`` says of each file its ``sha256`` and ``rows``."""
        transfer, digest = self._unit.ledger.head()
        return {
            "format": 1, "created_at": now, "operator": self._unit.programmes.operator().name,
            "currency": "EUR", "files": dict(files),
            "ledger_head": {"transfer": transfer, "hash": digest.hex()},
            "recoveries": [
                {
                    "recovery": row.id, "begun_at": row.begun_at, "begun_by": row.begun_by,
                    "ended_at": row.ended_at, "act": row.act, "without": row.without,
                    "requested_by": row.requested_by, "approved_by": row.approved_by,
                }
                for row in self._unit.recoveries.all()
            ],
        }  # fmt: skip

    # --- who --------------------------------------------------------------------------------

    def _operator(self) -> Iterator[Row]:
        public = PublicKey(self._unit.programmes.operator().public_key)
        yield {"kid": public.kid.hex(), "public_key": public.raw.hex()}

    def _issuer_keys(self) -> Iterator[Row]:
        for town, key in self._unit.programmes.issuer_keys():
            if town.issuer != TRAINING_ISSUER:
                yield {
                    "issuer": town.issuer.hex(), "key_id": key.key_id,
                    "public_key": key.public_key.hex(),
                }  # fmt: skip

    def _merchants(self) -> Iterator[Row]:
        for row in self._unit.terminals.merchants():
            yield {"merchant": row.id, "name": row.name, "iban": row.iban}

    def _terminal_rows(self) -> Iterator[Row]:
        for row in self._terminals:
            yield {
                "terminal": row.number, "merchant": row.merchant_id,
                "public_key": row.public_key.hex(), "certificate": row.certificate.hex(),
            }  # fmt: skip

    def _purse_rows(self) -> Iterator[Row]:
        for row in self._purses.values():
            blocks = [
                {
                    "block": item.id,
                    "code": item.code,
                    "from": item.blocked_at,
                    "to": item.ended_at,
                    "by": item.recorded_by,
                    "ended_by": item.ended_by,
                    "end_approved_by": item.end_approved_by,
                }
                for item in self._blocks.get(row.id, ())
            ]
            yield self._purse(row.id) | {"info_core": row.info_core.hex(), "blocks": blocks}

    def _purse(self, purse_id: int) -> Row:
        row = self._purses[purse_id]
        return {"issuer": self._issuers[row.municipality_id].hex(), "purse": row.number.hex()}

    # --- what the municipality decided ------------------------------------------------------

    def _pot(self, programme_id: int, funding_source_id: int) -> Row:
        programme = self._unit.programmes.programme(programme_id)
        return {
            "municipality": programme.municipality_id, "programme": programme.number,
            "funding_source": funding_source_id,
        }  # fmt: skip

    def _fundings(self) -> Iterator[Row]:
        for row in self._unit.programmes.fundings():
            yield self._pot(row.programme_id, row.funding_source_id) | {
                "funding": row.id, "amount_cents": row.cents, "act": row.act,
                "booked_by": row.booked_by, "booked_at": row.booked_at,
            }  # fmt: skip

    def _awards(self) -> Iterator[Row]:
        for row in self._unit.programmes.awards():
            yield self._pot(row.programme_id, row.funding_source_id) | {
                "award": row.id, "amount_cents": row.cents,
                "withdrawn_cents": row.withdrawn_cents, "act": row.act,
                "requested_by": row.requested_by,
                "approved_by": row.approved_by, "approved_at": row.approved_at,
            }  # fmt: skip

    def _orders(self) -> Iterator[Row]:
        for row in self._unit.cards.orders():
            yield (
                self._pot(row.programme_id, row.funding_source_id)
                | self._purse(row.purse_id)
                | {
                    "order": row.id, "source": row.source, "source_ref": self._source(row),
                    "award": row.award_id, "slot": row.slot, "delta_cents": row.delta_cents,
                    "carried_over_cents": row.carried_over_cents, "state": row.state,
                    "requested_by": row.requested_by,
                    "approved_by": row.approved_by, "approved_at": row.approved_at,
                }
            )  # fmt: skip

    def _source(self, order: LoadOrderRow) -> str | None:
        """The document that the money of an order comes from."""
        if order.return_id is not None:
            return f"return:{order.return_id}"
        if order.source == "award" or order.source_id is None:
            return None if order.source_id is None else str(order.source_id)
        if order.source == "refund":
            return self._document(self._unit.verdicts.posting(order.source_id))
        purse = self._purse(order.source_id)
        return f"{purse['issuer']}:{purse['purse']}"

    def _grants(self) -> Iterator[Row]:
        for row in self._unit.cards.grants():
            yield self._purse(row.purse_id) | {
                "order": row.order_id, "info_core": row.info_core.hex(),
                "grant": row.grant.hex(), "signature": row.signature.hex(),
                "state": row.state, "confirmed_by": row.confirmed_by,
            }  # fmt: skip

    # --- what terminals signed --------------------------------------------------------------

    def _entries(self) -> Iterator[Row]:
        astray: dict[int, list[QuarantineRow]] = {}
        for kept in self._unit.journals.quarantine():
            if kept.released_at is None:
                astray.setdefault(kept.terminal, []).append(kept)
        for terminal in self._terminals:
            loose = map(_quarantined, astray.get(terminal.number, []))
            yield from merge(
                self._chained(terminal.number),
                sorted(loose, key=_place_of_entry),
                key=_place_of_entry,
            )

    def _chained(self, terminal: int) -> Iterator[Row]:
        """The chain of a terminal, a part at a time, each with what its postings need."""
        for rows in self._unit.journals.entries(terminal):
            postings = self._unit.verdicts.postings_of_entries(terminal, rows[0].seq, rows[-1].seq)
            decided = self._unit.verdicts.decided(
                posting.case_id for posting in postings.values() if posting.case_id is not None
            )
            for row in rows:
                yield self._entry(row, postings.get(row.seq), decided)

    def _entry(self, row: EntryRow, found: PostingRow | None, decided: Collection[int]) -> Row:
        accepted = row.verdict == "accepted"
        posting = row.type in CLOSING and accepted
        return {
            "terminal": row.terminal, "seq": row.seq, "bytes": row.complete.hex(),
            "verdict": row.verdict, "reason": row.reason or None,
            "received_at": row.received_at,
            "posting": self._posting(found, decided) if posting else None,
        }  # fmt: skip

    def _posting(self, found: PostingRow | None, decided: Collection[int]) -> Row:
        if found is None:
            return {"state": "none", "live": False, "amount_open": False, "claim": "none",
                    "reason": None}  # fmt: skip
        return {
            "state": found.state, "live": found.live, "amount_open": found.amount_open,
            "claim": self._claim(found, decided), "reason": found.reason or None,
        }  # fmt: skip

    def _claim(self, posting: PostingRow, decided: Collection[int]) -> str:
        """Where its money lies; an unproven live one is held back unless people decided."""
        if posting.live and posting.state == "unproven" and posting.case_id not in decided:
            return AccountKind.SUSPENSE
        held = {self._unit.ledger.account(part.holder_id).kind for part in posting.parts}
        kinds = (AccountKind.SUSPENSE, AccountKind.REFUND_DUE, AccountKind.PAYABLE)
        return next((kind for kind in kinds if kind in held), "none")

    def _attestations(self) -> Iterator[Row]:
        for row, clear in self._unit.verdicts.attestations():
            totals = list(Spend.decode(clear).spent) if clear else None
            yield self._purse(row.purse_id) | {
                "ctr": row.ctr, "record": row.record.hex(), "record_hash": row.record_hash.hex(),
                "totals": totals, "source": row.source, "source_ref": row.source_ref,
                "index": row.index, "random": row.random.hex(), "tc": row.tc.hex(),
            }  # fmt: skip

    def _acknowledgements(self) -> Iterator[Row]:
        live = {row.number for row in self._terminals}
        for row in self._unit.journals.acknowledgements():
            if row.terminal in live:
                yield {"terminal": row.terminal, "bytes": row.complete.hex()}

    # --- the ledger -------------------------------------------------------------------------

    def _accounts(self) -> Iterator[Row]:
        for row in self._unit.ledger.rows():
            on_card = row.kind in _SLOT_KINDS and row.purse_id is not None
            nowhere = {"issuer": None, "purse": None}
            yield (self._purse(row.purse_id) if on_card and row.purse_id else nowhere) | {
                "account": row.code, "kind": row.kind, "municipality": row.municipality_id,
                "programme": self._numbers.get(row.programme_id or 0, 0),
                "funding_source": row.funding_source_id or 0,
                "slot": row.slot if on_card else None, "merchant": row.merchant_id,
                "case": row.case_id,
            }  # fmt: skip

    def _transfers(self) -> Iterator[Row]:
        codes = {row.id: row.code for row in self._unit.ledger.rows()}
        last = 0
        while rows := self._unit.ledger.transfers(last, _CHUNK):
            for row in rows:
                yield {
                    "id": row.id, "kind": row.kind, "from": codes[row.source_id],
                    "to": codes[row.target_id], "amount_cents": row.cents,
                    "event_time": row.event_time, "booked_at": row.booked_at,
                    "ref": {"kind": row.ref_kind, "id": row.ref_id},
                    "prev_hash": row.prev_hash.hex(), "hash": row.hash.hex(),
                }  # fmt: skip
            last = rows[-1].id

    def _cases(self) -> Iterator[Row]:
        waiting: dict[int | None, int] = {}
        for account in self._unit.ledger.rows():
            if account.kind == AccountKind.SUSPENSE:
                held = waiting.get(account.case_id, 0)
                waiting[account.case_id] = held + account.balance_cents
        for row in self._unit.verdicts.cases():
            yield {
                "case": row.id, "kind": row.code, "entry": row.entry_ref,
                "amount_cents": waiting.get(row.id, 0), "state": row.state,
                "decision": row.decision, "decided_by": row.decided_by,
                "decided_at": row.decided_at, "approved_by": row.approved_by, "act": row.act,
                "document": self._document_of_case(row),
            }  # fmt: skip

    # --- settlement -------------------------------------------------------------------------

    def _statements(self) -> Iterator[Row]:
        for batch in self._unit.settlement.each_batch():
            posted = self._unit.verdicts.posted(line.posting_id for line in batch.lines)
            lines = [
                {"entry": self._document(posted[line.posting_id]),
                 "amount_cents": line.cents, "return": line.return_id}
                for line in batch.lines
                if line.state == "included"
            ]  # fmt: skip
            yield {
                "statement": batch.id, "merchant": batch.merchant_id,
                "period_from": batch.period_from, "period_to": batch.period_to, "lines": lines,
                "total_cents": sum(line["amount_cents"] for line in lines),
            }  # fmt: skip

    def _batches(self) -> Iterator[Row]:
        for batch in self._unit.settlement.each_batch():
            posted = self._unit.verdicts.posted(line.posting_id for line in batch.lines)
            replaced = self._unit.settlement.batches_of_lines(
                line.replaces_id for line in batch.lines if line.replaces_id is not None
            )
            yield {
                "batch": batch.id, "merchant": batch.merchant_id,
                "period_from": batch.period_from, "period_to": batch.period_to,
                "state": batch.state, "total_cents": batch.total_cents,
                "created_by": batch.created_by, "turned_down_by": batch.turned_down_by,
                **self._approval(batch),
                "lines": [
                    {
                        "entry": self._document(posted[line.posting_id]),
                        "amount_cents": line.cents, "state": line.state,
                        "replaces": replaced.get(line.replaces_id or 0),
                        "return": line.return_id, "sampled": line.in_sample,
                        "reviewed_by": line.reviewed_by, "reviewed_at": line.reviewed_at,
                        "note": line.note,
                    }
                    for line in batch.lines
                ],
            }  # fmt: skip

    def _approval(self, batch: SettlementBatchRow) -> Row:
        """What its amount asked for, the review, and who approved it."""
        rule, review = rule_of(self._unit, batch), self._unit.settlement.review(batch.id)
        return {
            "rule": {
                "from_cents": rule.from_cents, "sample_permille": rule.sample_permille,
                "approvals": rule.approvals,
            },
            "approvals": [
                {"by": item.person, "at": item.approved_at}
                for item in self._unit.settlement.approvals(batch.id)
            ],
            "review": {
                "seed": review.seed.hex(), "sample_permille": review.sample_permille,
                "begun_by": review.begun_by, "begun_at": review.begun_at,
                "sent_by": review.sent_by, "sent_at": review.sent_at,
            } if review and review.seed else None,
        }  # fmt: skip

    def _document_of_case(self, case: CaseRow) -> str | None:
        """The entry or record whose money the case holds, or held."""
        posting = None if case.purse_id is None else self._unit.acts.posting_of_case(case)
        return None if posting is None else self._document(posting)

    def _document(self, posting: PostingRow | Posted) -> str:
        """``T:S`` of its entry, or ``issuer:purse:ctr:hash`` of a record without one."""
        if posting.closing_seq is not None:
            return f"{posting.terminal}:{posting.closing_seq}"
        purse = self._purse(posting.purse_id)
        digest = posting.record_hash[:PREV_SIZE].hex()
        return f"{purse['issuer']}:{purse['purse']}:{posting.ctr}:{digest}"

    def _given_statements(self) -> Iterator[Row]:
        for row in self._unit.settlement.given_statements():
            yield {
                "given": row.id, "merchant": row.merchant_id, "period_from": row.period_from,
                "period_to": row.period_to, "issued_at": row.issued_at, "hash": row.hash.hex(),
                "ledger_head": {"transfer": row.transfer, "hash": row.head.hex()},
            }  # fmt: skip

    def _returns(self) -> Iterator[Row]:
        for row in self._unit.settlement.returns():
            posting = self._unit.verdicts.posting(row.posting_id)
            yield self._pot(row.programme_id, row.funding_source_id) | self._purse(
                posting.purse_id
            ) | {
                "return": row.id, "entry": self._document(posting), "slot": row.slot,
                "merchant": row.merchant_id, "amount_cents": row.cents, "act": row.act,
                "requested_by": row.requested_by, "approved_by": row.approved_by,
                "agreed_at": row.agreed_at, "repaid_ref": row.repaid_ref,
                "repaid_by": row.repaid_by, "repaid_at": row.repaid_at,
            }  # fmt: skip

    def _payments(self) -> Iterator[Row]:
        for row in self._unit.settlement.payments():
            yield {
                "payment": row.id, "batch": row.batch_id, "end_to_end_id": row.end_to_end_id,
                "amount_cents": row.cents, "state": row.state, "outcome_ref": row.outcome_ref,
            }  # fmt: skip


def _quarantined(row: QuarantineRow) -> Row:
    return {
        "terminal": row.terminal, "seq": row.seq, "bytes": row.complete.hex(),
        "verdict": "quarantined", "reason": row.reason, "posting": None,
    }  # fmt: skip


def _place_of_entry(row: Row) -> tuple[bool, int, bool]:
    return row["seq"] is None, row["seq"] or 0, row["verdict"] != "accepted"


def encode_row(row: Row) -> bytes:
    """One line of a file."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def write_export(work: Work, directory: Path, now: int) -> Row:
    """Writes everything into ``directory``, as one state of the books; the manifest."""
    start_export(directory)
    with work.read() as unit:
        export = Export(unit)
        files = {
            name: write_lines(directory / name, map(encode_row, rows()))
            for name, rows in export.files().items()
        }
        manifest = export.manifest(now, files)
    finish_export(directory, manifest)
    return manifest
