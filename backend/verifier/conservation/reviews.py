"""Who approved a batch, and whether its sample is the one that its seed draws.

``rank(n) = SHA-256(seed ‖ n as 4 bytes)``, n the place of a line among those that were to be
paid when the review began; the sample are the lines of the lowest ranks. What a batch of an
amount needs, and that the seed was drawn by chance and once, is the operator's word.
"""

from hashlib import sha256

from backend.verifier.export.people import known_as
from backend.verifier.export.reader import Row
from backend.verifier.findings import Findings, Law

_PERMILLE = 1000
_AGREED = ("approved", "in_payment", "paid")


class ReviewAudit:
    """Judges each batch by itself."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def check(self, row: Row, *, ordered: bool) -> None:
        """``ordered``: whether a payment stands for the batch."""
        agreed = ordered or row["state"] in _AGREED
        self._check_people(row, agreed=agreed)
        if agreed:
            self._findings.trust("APPROVED_BY_WORD")
        if row["review"] is not None:
            self._check_sample(row, agreed=agreed)
        elif agreed and _rule_of(row)["sample_permille"]:
            self._add("REVIEW_MISSING", row)

    def _check_people(self, row: Row, *, agreed: bool) -> None:
        approvers = {known_as(item["by"]) for item in row["approvals"] or ()} - {""}
        acted = approvers | {known_as(line["reviewed_by"]) for line in row["lines"]} - {""}
        if row["review"] is not None:
            acted.add(known_as(row["review"]["begun_by"]))
        if known_as(row["created_by"]) in acted or (agreed and not known_as(row["created_by"])):
            self._add("BATCH_ONE_PERSON", row)
        if agreed and len(approvers) < max(1, _rule_of(row)["approvals"]):
            self._add("BATCH_APPROVALS_MISSING", row)
        if _held_after_approval(row):
            self._add("HELD_AFTER_APPROVAL", row)

    def _check_sample(self, row: Row, *, agreed: bool) -> None:
        review = row["review"]
        lines = [line for line in row["lines"] if line["sampled"] is not None]
        wanted = -(-len(lines) * review["sample_permille"] // _PERMILLE)
        ranks = [sha256(review["seed"] + n.to_bytes(4, "big")).digest() for n in range(len(lines))]
        drawn = set(sorted(ranks)[:wanted])
        if any(line["sampled"] != (rank in drawn) for line, rank in zip(lines, ranks, strict=True)):
            self._add("SAMPLE_OTHER", row)
        if review["sample_permille"] < _rule_of(row)["sample_permille"]:
            self._add("SAMPLE_SMALL", row)
        if agreed and any(line["sampled"] and not line["reviewed_by"] for line in lines):
            self._add("SAMPLE_UNSEEN", row)
        if any(line["sampled"] is None and line["state"] == "included" for line in row["lines"]):
            self._add("SAMPLE_OTHER", row)
        self._findings.trust("SAMPLE_DRAWN")

    def _add(self, code: str, row: Row) -> None:
        document = f"batch {row['batch']}"
        self._findings.add(Law.CONSERVATION, code, row.place(document), document=document)


def _rule_of(row: Row) -> dict[str, int]:
    """What the batch needed; where the export does not say, what every batch needs."""
    return row["rule"] or {"sample_permille": 0, "approvals": 1}


def _held_after_approval(row: Row) -> bool:
    """Whether a line left the batch after somebody had agreed to what it paid."""
    agreed = [item["at"] for item in row["approvals"] or () if item["at"] is not None]
    held = (line["reviewed_at"] or 0 for line in row["lines"] if line["state"] != "included")
    return bool(agreed) and max(held, default=0) > min(agreed)
