"""The order of an audit, and what comes out of it."""

from dataclasses import dataclass, field
from pathlib import Path

from backend.verifier import schema
from backend.verifier.acknowledgements import AcknowledgementAudit
from backend.verifier.attestations import read_attestations
from backend.verifier.awards import GrantAudit
from backend.verifier.chain import ChainAudit
from backend.verifier.conservation import SaleAudit
from backend.verifier.decisions import Decisions
from backend.verifier.equations import EquationAudit
from backend.verifier.export_reader import Export, Row
from backend.verifier.findings import Findings, Law
from backend.verifier.grants import read_grants
from backend.verifier.heads import Heads
from backend.verifier.ledger import Ledger
from backend.verifier.loads import LoadAudit
from backend.verifier.moments import MomentAudit
from backend.verifier.registry import Registry, expect_keys, read_registry
from backend.verifier.returns import ReturnAudit
from backend.verifier.settlement import SettlementAudit
from backend.verifier.statements import StatementAudit
from backend.verifier.waiting_records import WaitingRecordAudit
from backend.verifier.wallets import WalletAudit
from backend.verifier.workbook import Workbook

COUNTS = (
    "terminals", "entries", "purses", "grants", "postings", "posted_cents", "transfers",
    "funded_cents", "on_cards_cents", "payable_cents", "paid_cents",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome: what was found, how much was looked at, whose keys were used.

    Everything is said of the ledger up to ``position``, number and hash of its last
    transfer, and of the journals up to ``journals``, number and hash of their last
    entries. ``held``: by kind of signed document, the highest ledger head that one names.
    """

    findings: Findings
    counts: dict[str, int]
    keys: dict[str, str]
    operator: str
    created_at: int
    position: tuple[int, bytes] = (0, bytes(32))
    held: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    journals: dict[int, tuple[int, bytes]] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether nothing was disproved."""
        return not len(self.findings)

    def status(self, law: Law) -> str:
        """``proved``, ``disproved``, or ``open`` when the files are not all there, or not whole."""
        if self.findings.breaks(law):
            return "disproved"
        return "open" if self.findings.breaks(Law.EXPORT) else "proved"


def audit(
    directory: Path,
    *,
    keys: frozenset[bytes] = frozenset(),
    evidence: tuple[Path, ...] = (),
) -> Verdict:
    """Judges the export in ``directory``.

    ``keys``: public keys that the auditor got elsewhere; ``evidence``: files of
    acknowledgements (in the form of acknowledgements.jsonl) and statements that shops kept.
    """
    findings = Findings()
    export = Export(directory, findings)
    if not export.check_files():
        return Verdict(findings, {}, {}, "", 0)
    book = Workbook()
    try:
        return _judge(export, book, findings, keys, evidence)
    finally:
        book.close()


def _judge(
    export: Export,
    book: Workbook,
    findings: Findings,
    keys: frozenset[bytes],
    evidence: tuple[Path, ...],
) -> Verdict:
    registry = read_registry(export, book, findings)
    expect_keys(registry, keys, findings)
    declared = export.manifest["recoveries"] or ()
    recoveries = tuple(recovery["begun_at"] for recovery in declared)
    heads, until = Heads(book, findings, recoveries), export.manifest["created_at"]
    chain = ChainAudit(registry, heads, book, findings)
    chain.walk(export)
    kept = [row for path in evidence for row in export.rows_of(path, schema.EVIDENCE)]
    _check_acknowledgements(
        export, AcknowledgementAudit(registry, heads, book, findings, until), kept
    )
    read_attestations(export, registry, book, findings)
    grants = read_grants(export, registry, book, findings)
    ledger = Ledger(book, findings)
    ledger.read(export)
    granting = GrantAudit(grants, registry, ledger, book, findings)
    granting.check(export)
    decisions = Decisions(ledger, findings)
    decisions.read(export)
    sales = SaleAudit(grants, ledger, decisions, book, findings)
    sales.check()
    statements = StatementAudit(registry, heads, book, findings, until)
    statements.read_given(export)
    for row in kept:
        if row["merchant"] is not None:
            statements.check(row)
    heads.check()
    MomentAudit(book, findings).check()
    WaitingRecordAudit(ledger, decisions, book, findings).check()
    decisions.check()
    loads = LoadAudit(grants, ledger, book, findings)
    loads.check(export, granting.awards)
    WalletAudit(grants, ledger, book, findings).check(export)
    _check_cases(export, ledger, book, findings)
    returns = ReturnAudit(grants, ledger, book, findings)
    returns.check(export)
    settlement = SettlementAudit(ledger, returns.by_number, book, findings)
    settlement.check(export)
    equations = EquationAudit(grants, ledger, book, findings)
    equations.check(loads.funded)
    kinds = equations.by_kind
    numbers = (
        len(registry.terminals), chain.accepted, len(registry.purses), len(grants.by_number),
        sales.posted, sales.cents, ledger.transfers, loads.funded.total(),
        kinds["on_card"] + kinds["expired_pending"] + kinds["blocked"],
        kinds["payable"] + kinds["in_payment"], kinds["paid"],
    )  # fmt: skip
    return Verdict(
        findings, dict(zip(COUNTS, numbers, strict=True)), _labels(registry),
        export.manifest["operator"], until, (ledger.transfers, ledger.head), heads.held,
        chain.heads,
    )  # fmt: skip


def _check_acknowledgements(export: Export, audits: AcknowledgementAudit, kept: list[Row]) -> None:
    for row in export.rows("acknowledgements.jsonl"):
        audits.check(row)
    for row in kept:
        if row["merchant"] is None:
            audits.check(row)


def _check_cases(export: Export, ledger: Ledger, book: Workbook, findings: Findings) -> None:
    """A case holds what its accounts hold; that a person decided rightly is trusted."""
    holding: dict[str | None, list[str]] = {}
    for account in ledger.accounts.values():
        if account.kind == "suspense":
            holding.setdefault(account.case, []).append(account.id)
    for row in export.rows("cases.jsonl"):
        number = row["case"]
        before = book.first_use("case", number, row.line)
        place = row.place(f"case {number}")
        if before is not None:
            findings.add(Law.ONCE, "NUMBER_TWICE", place, what="case", id=number, before=before)
            continue
        held = sum(ledger.balance(account) for account in holding.get(number, ()))
        if held != row["amount_cents"]:
            findings.add(
                Law.CONSERVATION, "CASE_OTHER_AMOUNT", place,
                case=number, booked=held, wanted=row["amount_cents"],
            )  # fmt: skip
        transfers = ledger.of("case", number)
        if transfers and row["decided_by"] is None:
            findings.add(Law.CONSERVATION, "CASE_NOT_DECIDED", place, case=number)
        if transfers:
            findings.trust("CASE_DECIDED")
        if row["entry"] and any(t.target.kind == "payable" for t in transfers):
            book.note("used", "case of", row["entry"], row.line)


def _labels(registry: Registry) -> dict[str, str]:
    """Public keys that were relied on, by what they are for."""
    labels = {f"operator {kid.hex()}": key.hex() for kid, key in registry.operators.items()}
    for (issuer, key_id), key in sorted(registry.issuers.items()):
        labels[f"issuer {issuer.hex()}/{key_id}"] = key.hex()
    return labels
