"""An older copy was put back: which signed heads that explains, and which it never does."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from backend.verifier.audit import Verdict, audit
from backend.verifier.evidence.recoveries import YEAR_2020
from cardlib.wire.ids import Seq, TerminalNumber
from cardlib.wire.ledger_head import LedgerHead
from cardlib.wire.upload import Acknowledgement
from tests.integration.verifier.export_files import Row, chain, write
from tests.integration.verifier.journal import MORNING, Journal
from tests.integration.verifier.town_books import OPERATOR, Town

COPIED, BOOKED, ANSWERED, BEGUN, TOLD_AGAIN = (MORNING - hours * 3600 for hours in (9, 8, 7, 4, 3))
"""What the copy knows last; what it forgot was booked; a till was told; the recovery; and after."""
FORGOTTEN = 50_000


@dataclass
class Restored:
    """A town whose operator put a copy back: a funding and an answer to the baker are gone."""

    heard: bool = True
    """Whether the baker's till has signed the versions that came with the recovery."""
    closes_after: bool = False
    """Whether it closed its day after that, and still named the old head."""
    town: Town = field(default_factory=lambda: Town(bound=True, booked_at=COPIED))
    kept: list[Row] = field(default_factory=list)
    declared: Row = field(default_factory=dict)

    def __post_init__(self) -> None:
        town, baker = self.town, self.town.baker
        grant = town.load(town.anna, 1, 1, 10_000)
        town.post(town.anna, baker.sale(town.anna, grant, 1_250), 1_250, 1)
        self.forgotten = self._forget()
        if not self.closes_after:
            baker.close(self.forgotten)
        baker.hotlist = BEGUN - YEAR_2020 if self.heard else 0
        if self.closes_after:
            baker.close(self.forgotten)
        self.files = deepcopy(town.exported())
        for row in self.files["entries.jsonl"]:
            row["received_at"] = COPIED if row["seq"] <= 2 else TOLD_AGAIN
        self.files["acknowledgements.jsonl"] = [self.answer(TOLD_AGAIN, town.head())]
        self.kept.append(self.answer(ANSWERED, self.forgotten))
        self.declared = {
            "begun_at": BEGUN, "begun_by": "Ugo", "ended_at": MORNING - 60,
            "requested_by": "Lia", "approved_by": "Anna",
        }  # fmt: skip

    def _forget(self) -> LedgerHead:
        """The head of the books as they were before the copy was put back."""
        town = self.town
        town.booked_at = BOOKED
        town.fund(2, FORGOTTEN)
        head = town.head()
        for name in ("fundings", "transfers"):
            town.files[f"{name}.jsonl"].pop()
        town.booked_at = TOLD_AGAIN
        return head

    def answer(self, at: int, head: LedgerHead) -> Row:
        """What the operator signed for the baker's till."""
        baker: Journal = self.town.baker
        sold = baker.entries[1]
        answer = Acknowledgement(
            terminal=TerminalNumber(baker.number), high_seq=Seq(2), high_hash=sold.hash,
            server_time=at, nonce=1, bundle_version=1, verdicts=(), ledger=head,
        )  # fmt: skip
        return {"terminal": baker.number, "bytes": answer.sign(OPERATOR).hex()}

    def audited(self, folder: Path) -> Verdict:
        export, kept = write(chain(self.files), folder / "export"), folder / "kept.jsonl"
        manifest = export / "manifest.json"
        said = json.loads(manifest.read_text()) | {"recoveries": [self.declared]}
        manifest.write_text(json.dumps(said))
        kept.write_text("".join(json.dumps(row) + "\n" for row in self.kept))
        return audit(export, evidence=(kept,))


def found(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings}


def test_what_a_copy_forgot_is_explained_and_told_with_its_hours(tmp_path: Path) -> None:
    verdict = Restored().audited(tmp_path)
    assert found(verdict) == set()
    assert verdict.findings.trusted["HEAD_BEFORE_RECOVERY"] == 2, "an answer and a day's close"
    assert verdict.findings.trusted["RECOVERY_DECLARED"] == 1
    (gap,) = verdict.findings.about["RECOVERY_DECLARED"]
    assert gap == "2026-09-21 05:13:20Z – 2026-09-21 10:13:20Z, #6"


def test_a_recovery_that_no_till_has_heard_of_explains_nothing(tmp_path: Path) -> None:
    verdict = Restored(heard=False).audited(tmp_path)
    assert found(verdict) == {"LEDGER_REWRITTEN", "CLOSE_HEAD_OTHER"}
    assert verdict.findings.trusted["RECOVERY_NOT_SHOWN"] == 1


def test_a_till_that_has_heard_of_it_closes_over_the_new_ledger(tmp_path: Path) -> None:
    assert found(Restored(closes_after=True).audited(tmp_path)) == {"CLOSE_HEAD_OTHER"}


def answer_in_the_books(restored: Restored) -> None:
    """A copy that has the answer has the transfers that it names."""
    restored.files["acknowledgements.jsonl"].append(restored.kept[0])


def books_know_later(restored: Restored) -> None:
    """The gap begins only after the answer: the copy was younger."""
    restored.files["entries.jsonl"][-1]["received_at"] = BEGUN - 60


def answered_after(restored: Restored) -> None:
    restored.kept[0] = restored.answer(BEGUN + 1, restored.forgotten)


def head_within_the_copy(restored: Restored) -> None:
    """What the copy had is what everybody was told before."""
    restored.kept[0] = restored.answer(ANSWERED, LedgerHead(3, bytes(32)))


def close_in_the_copy(restored: Restored) -> None:
    for row in restored.files["entries.jsonl"]:
        row["received_at"] = COPIED


def statement_in_the_copy(restored: Restored) -> None:
    head = {"transfer": restored.forgotten.transfer, "hash": restored.forgotten.hash.hex()}
    restored.files["given_statements.jsonl"] = [
        {"given": 1, "merchant": 1, "issued_at": ANSWERED, "hash": "00" * 32, "ledger_head": head}
    ]


@pytest.mark.parametrize(
    ("says", "spoil"),
    [
        ("LEDGER_REWRITTEN", answer_in_the_books),
        ("LEDGER_REWRITTEN", books_know_later),
        ("LEDGER_REWRITTEN", answered_after),
        ("LEDGER_REWRITTEN", head_within_the_copy),
        ("CLOSE_HEAD_OTHER", close_in_the_copy),
        ("GIVEN_HEAD_OTHER", statement_in_the_copy),
        ("RECOVERY_WITHOUT_PEOPLE", lambda restored: restored.declared.update(begun_by=" ")),
        ("RECOVERY_WITHOUT_PEOPLE", lambda restored: restored.declared.update(approved_by="LIA")),
    ],
)
def test_what_no_recovery_explains(
    says: str, spoil: Callable[[Restored], object], tmp_path: Path
) -> None:
    restored = Restored()
    spoil(restored)
    assert says in found(restored.audited(tmp_path))
