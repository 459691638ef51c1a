"""The report as one JSON object, for programs."""

from typing import Any

from backend.verifier.audit import Verdict
from backend.verifier.findings import Finding, Law
from backend.verifier.report.texts import Texts


def as_json(verdict: Verdict, texts: Texts) -> dict[str, Any]:
    """The whole verdict as one object; sentences in the chosen language."""
    findings = verdict.findings
    return {
        "ok": verdict.holds,
        "operator": verdict.operator,
        "created_at": verdict.created_at,
        "laws": {
            str(law.value): {"status": verdict.status(law), "findings": findings.breaks(law)}
            for law in Law
        },
        "counts": verdict.counts,
        "trusted": dict(findings.trusted),
        "about": {code: dict(things) for code, things in findings.about.items()},
        "keys": verdict.keys,
        "ledger": _head(verdict.position),
        "held": {source: _head(head) for source, head in verdict.held.items()},
        "journals": {
            str(number): {"seq": seq, "hash": digest.hex()}
            for number, (seq, digest) in sorted(verdict.journals.items())
        },
        "findings": [_finding(item, texts) for item in findings],
        "untold": findings.untold(),
    }


def _head(head: tuple[int, bytes]) -> dict[str, int | str]:
    return {"transfer": head[0], "hash": head[1].hex()}


def _finding(item: Finding, texts: Texts) -> dict[str, Any]:
    place = item.place
    return {
        "law": item.law.value,
        "code": item.code,
        "file": place.file,
        "line": place.line,
        "terminal": place.terminal,
        "seq": place.seq,
        "document": place.document,
        "facts": dict(item.facts),
        "means": texts.says(item.code, item.facts),
        "do": texts.do(item.code),
    }
