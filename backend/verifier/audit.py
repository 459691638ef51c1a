"""The order of an audit, and what comes out of it."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from backend.verifier.conservation.equations import EquationAudit
from backend.verifier.conservation.expiry_and_blocks import WalletAudit
from backend.verifier.conservation.loads import LoadAudit
from backend.verifier.conservation.returns import ReturnAudit
from backend.verifier.conservation.sales import SaleAudit
from backend.verifier.conservation.settlement import SettlementAudit
from backend.verifier.conservation.waiting_records import WaitingRecordAudit
from backend.verifier.evidence.acknowledgements import AcknowledgementAudit
from backend.verifier.evidence.heads import Heads
from backend.verifier.evidence.kept_entries import KeptEntryAudit
from backend.verifier.evidence.recoveries import Recoveries
from backend.verifier.evidence.statements import StatementAudit
from backend.verifier.export import schema
from backend.verifier.export.reader import Export, Row
from backend.verifier.findings import Findings, Law
from backend.verifier.grants.awards import GrantAudit
from backend.verifier.grants.grants import Grants, read_grants
from backend.verifier.journals.chain import ChainAudit
from backend.verifier.ledger.cases import CaseAudit
from backend.verifier.ledger.decisions import Decisions
from backend.verifier.ledger.ledger import SLOT_KINDS, Ledger
from backend.verifier.ledger.moments import MomentAudit
from backend.verifier.purses.attestations import read_attestations
from backend.verifier.registry import Registry, expect_keys, read_registry
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
    acknowledgements (in the form of acknowledgements.jsonl), statements and journal entries
    that shops kept.
    """
    findings = Findings()
    export = Export(directory, findings)
    if not export.check_files():
        return Verdict(findings, {}, {}, "", 0)
    book = Workbook()
    try:
        return _Judgement(export, book, findings).judge(keys, evidence)
    finally:
        book.close()


class _Judgement:
    """One audit under way; each step notes in the workbook what later ones need."""

    def __init__(self, export: Export, book: Workbook, findings: Findings) -> None:
        self._export = export
        self._book = book
        self._findings = findings
        self._until: int = export.manifest["created_at"]
        recoveries = Recoveries(export.manifest["recoveries"] or (), book, findings)
        self._heads = Heads(book, findings, recoveries)
        self._registry = read_registry(export, book, findings)
        self._counts: dict[str, int] = {}

    def judge(self, keys: frozenset[bytes], evidence: tuple[Path, ...]) -> Verdict:
        """Who may sign, what was signed, what was granted, then where the money went."""
        expect_keys(self._registry, keys, self._findings)
        chain = ChainAudit(self._registry, self._heads, self._book, self._findings)
        chain.walk(self._export)
        kept = [row for path in evidence for row in self._export.rows_of(path, schema.EVIDENCE)]
        self._check_acknowledgements(kept)
        entries = [row for row in kept if row["seq"] is not None]
        KeptEntryAudit(self._registry, self._book, self._findings).check(entries)
        read_attestations(self._export, self._registry, self._book, self._findings)
        grants = read_grants(self._export, self._registry, self._book, self._findings)
        ledger = Ledger(self._book, self._findings)
        ledger.read(self._export)
        self._check_money(grants, ledger, kept)
        self._count_documents(chain, grants, ledger)
        return Verdict(
            self._findings, {name: self._counts[name] for name in COUNTS},
            _labels(self._registry), self._export.manifest["operator"], self._until,
            (ledger.transfers, ledger.head), self._heads.held, chain.heads,
        )  # fmt: skip

    def _check_acknowledgements(self, kept: list[Row]) -> None:
        audits = AcknowledgementAudit(
            self._registry, self._heads, self._book, self._findings, self._until
        )
        for row in self._export.rows("acknowledgements.jsonl"):
            audits.check(row)
        for row in kept:
            if row["merchant"] is None and row["seq"] is None:
                audits.check(row, by_shop=True)

    def _check_money(self, grants: Grants, ledger: Ledger, kept: list[Row]) -> None:
        """Every document against the ledger, and at last the books as a whole."""
        granting = GrantAudit(grants, self._registry, ledger, self._book, self._findings)
        granting.check(self._export)
        self._check_sales(grants, ledger, kept)
        loads = LoadAudit(grants, ledger, self._book, self._findings)
        loads.check(self._export, granting.awards)
        WalletAudit(grants, ledger, self._book, self._findings).check(self._export)
        CaseAudit(ledger, self._book, self._findings).check(self._export)
        returns = ReturnAudit(grants, ledger, self._book, self._findings)
        returns.check(self._export)
        settlement = SettlementAudit(ledger, returns.by_number, self._book, self._findings)
        settlement.check(self._export)
        equations = EquationAudit(grants, ledger, self._book, self._findings)
        equations.check(loads.funded)
        self._count_cents(loads.funded.total(), equations.by_kind)

    def _check_sales(self, grants: Grants, ledger: Ledger, kept: list[Row]) -> None:
        """Sales, voids and records without an entry, as people's decisions left them."""
        decisions = Decisions(ledger, self._findings)
        decisions.read(self._export)
        sales = SaleAudit(grants, ledger, decisions, self._book, self._findings)
        sales.check()
        self._counts |= {"postings": sales.posted, "posted_cents": sales.cents}
        self._check_statements(kept)
        self._heads.check()
        MomentAudit(self._book, self._findings).check()
        WaitingRecordAudit(ledger, decisions, self._book, self._findings).check()
        decisions.check()

    def _check_statements(self, kept: list[Row]) -> None:
        statements = StatementAudit(
            self._registry, self._heads, self._book, self._findings, self._until
        )
        statements.read_given(self._export)
        for row in kept:
            if row["merchant"] is not None and row["seq"] is None:
                statements.check(row)

    def _count_documents(self, chain: ChainAudit, grants: Grants, ledger: Ledger) -> None:
        self._counts |= {
            "terminals": len(self._registry.terminals),
            "entries": chain.accepted,
            "purses": len(self._registry.purses),
            "grants": len(grants.by_number),
            "transfers": ledger.transfers,
        }

    def _count_cents(self, funded: int, by_kind: Counter[str]) -> None:
        self._counts |= {
            "funded_cents": funded,
            "on_cards_cents": sum(by_kind[kind] for kind in SLOT_KINDS),
            "payable_cents": by_kind["payable"] + by_kind["in_payment"],
            "paid_cents": by_kind["paid"],
        }


def _labels(registry: Registry) -> dict[str, str]:
    """Public keys that were relied on, by what they are for."""
    labels = {f"operator {kid.hex()}": key.hex() for kid, key in registry.operators.items()}
    for (issuer, key_id), key in sorted(registry.issuers.items()):
        labels[f"issuer {issuer.hex()}/{key_id}"] = key.hex()
    return labels
