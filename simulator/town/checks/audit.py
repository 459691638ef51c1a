"""The end of a run: an export, judged by the independent verifier."""

import tempfile
from pathlib import Path

from backend.adapters.unit_of_work import DatabaseWork
from backend.services.export import write_export
from backend.verifier.audit import audit
from simulator.town.checks.evidence import TownSeen, breach


def check_audit(town: TownSeen) -> None:
    """TownError ``TOWN_AUDIT_FAILED`` unless exactly the declared findings come out."""
    with tempfile.TemporaryDirectory(prefix="town-audit-") as folder:
        write_export(DatabaseWork(town.engine), Path(folder), 0)
        verdict = audit(Path(folder))
    found = {finding.code for finding in verdict.findings}
    for code in sorted(found ^ town.declared.findings):
        shown = [str(one) for one in verdict.findings if one.code == code]
        what = shown[0] if shown else "it was to be found, and was not"
        raise breach("TOWN_AUDIT_FAILED", 1, f"finding {code}", what)
