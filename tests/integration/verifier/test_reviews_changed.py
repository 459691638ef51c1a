"""A reviewed batch in an export: who acted, and the sample that its seed draws."""

from collections.abc import Callable

import pytest

from backend.domain.review import sample
from tests.integration.verifier.conftest import Audited
from tests.integration.verifier.export_builder import Files, Row, good

SEED = bytes(range(16))


def reviewed() -> tuple[Files, Row]:
    """The good export, its first batch reviewed by Bruno and approved by Bruno and Carla."""
    files = good()
    batch = files["batches.jsonl"][0]
    drawn = sample(SEED, len(batch["lines"]), 500)
    for place, line in enumerate(batch["lines"]):
        line |= {"sampled": place in drawn, "reviewed_by": "bruno" if place in drawn else None}
    batch |= {
        "created_by": "anna", "approvals": [{"by": "bruno"}, {"by": "carla"}],
        "rule": {"from_cents": 0, "sample_permille": 500, "approvals": 2},
        "review": {"seed": SEED.hex(), "sample_permille": 500, "begun_by": "bruno"},
    }  # fmt: skip
    return files, batch


def test_a_review_by_the_rules_is_clean_and_its_chance_is_trusted(audited: Audited) -> None:
    verdict = audited(reviewed()[0])
    assert verdict.holds, [str(finding) for finding in verdict.findings]
    assert verdict.findings.trusted["SAMPLE_DRAWN"] == 1


def other_sample(batch: Row) -> None:
    for line in batch["lines"]:
        line["sampled"], line["reviewed_by"] = not line["sampled"], "bruno"


def slipped_in(batch: Row) -> None:
    """A line that was in the batch when the sample was drawn says that it was not."""
    next(line for line in batch["lines"] if not line["sampled"])["sampled"] = None


def unseen(batch: Row) -> None:
    for line in batch["lines"]:
        line["reviewed_by"] = None


def held_after_bruno_agreed(batch: Row) -> None:
    batch["approvals"] = [{"by": "bruno", "at": 500}, {"by": "carla", "at": 700}]
    held = batch["lines"][0] | {"state": "postponed", "sampled": None, "reviewed_by": "carla"}
    batch["lines"].append(held | {"reviewed_at": 600})


def reviewed_by_anna(batch: Row) -> None:
    next(line for line in batch["lines"] if line["sampled"])["reviewed_by"] = "Anna "


@pytest.mark.parametrize(
    ("says", "spoil"),
    [
        ("SAMPLE_OTHER", other_sample),
        ("SAMPLE_OTHER", lambda batch: batch["review"].update(seed="01" * 16)),
        ("SAMPLE_OTHER", slipped_in),
        ("SAMPLE_UNSEEN", unseen),
        ("HELD_AFTER_APPROVAL", held_after_bruno_agreed),
        ("SAMPLE_SMALL", lambda batch: batch["rule"].update(sample_permille=501)),
        ("REVIEW_MISSING", lambda batch: batch.update(review=None)),
        ("BATCH_APPROVALS_MISSING", lambda batch: batch["approvals"].pop()),
        (
            "BATCH_APPROVALS_MISSING",
            lambda batch: batch.update(approvals=[{"by": "bruno"}, {"by": "Bruno "}]),
        ),
        ("BATCH_ONE_PERSON", lambda batch: batch["approvals"].append({"by": "ANNA"})),
        ("BATCH_ONE_PERSON", lambda batch: batch["review"].update(begun_by="anna")),
        ("BATCH_ONE_PERSON", reviewed_by_anna),
    ],
)
def test_what_is_wrong_with_a_review_is_named(
    audited: Audited, says: str, spoil: Callable[[Row], object]
) -> None:
    files, batch = reviewed()
    spoil(batch)
    assert says in {finding.code for finding in audited(files).findings}
