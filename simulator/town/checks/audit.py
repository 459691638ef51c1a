"""An export, judged by the independent verifier: once unannounced, and at the end of a run."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from backend.adapters.unit_of_work import DatabaseWork
from backend.services.export.export import write_export
from backend.verifier.audit import Verdict, audit
from simulator.town.checks.evidence import TownSeen, breach

NEWER_THAN_ALL = 4_000_000_000
"""When the export was made: what shops kept is older, and so is judged."""


def _kept(town: TownSeen) -> Iterator[str]:
    """What shops hand in: the answers that their tills kept, and their statements, one a line."""
    gone = town.declared.lost_terminals | town.declared.rogue_terminals
    for till in town.tills:
        if till.terminal not in gone:
            for answer in till.answers():
                yield json.dumps({"terminal": till.terminal, "bytes": answer.hex()}) + "\n"
    for merchant, statement in town.declared.statements:
        yield json.dumps({"merchant": str(merchant), "bytes": statement.hex()}) + "\n"


def audited(town: TownSeen) -> Verdict:
    """What the verifier says of an export of the books as they are, and of what shops kept."""
    with tempfile.TemporaryDirectory(prefix="town-audit-") as folder:
        write_export(DatabaseWork(town.engine), Path(folder), NEWER_THAN_ALL)
        kept = Path(folder) / "kept.jsonl"
        kept.write_text("".join(_kept(town)), "ascii")
        return audit(Path(folder), evidence=(kept,))


def check_audit(town: TownSeen, verdict: Verdict) -> None:
    """TownError ``TOWN_AUDIT_FAILED`` unless exactly the declared findings came out."""
    found = {finding.code for finding in verdict.findings}
    for code in sorted(found ^ town.declared.findings):
        shown = [str(one) for one in verdict.findings if one.code == code]
        what = shown[0] if shown else "it was to be found, and was not"
        raise breach("TOWN_AUDIT_FAILED", 1, f"finding {code}", what)


def check_visit(town: TownSeen, verdict: Verdict) -> None:
    """TownError ``TOWN_AUDIT_FAILED`` when an auditor who comes on any day finds what is none."""
    for finding in verdict.findings:
        if finding.code not in town.declared.findings:
            what = f"finding {finding.code} on an ordinary day"
            raise breach("TOWN_AUDIT_FAILED", 1, what, str(finding))
