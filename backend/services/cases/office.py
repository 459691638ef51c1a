"""Cases: what waits for a person, and how two people close it (PROTOCOL 6 and 7)."""

from dataclasses import dataclass

from backend.adapters.tables.verdicts import CaseRow, PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.cases import Cover, Decision, check_decision
from backend.domain.people import check_two_people
from backend.domain.states import CaseState
from backend.domain.verdicts import PostingState
from backend.services.cases.closing import Closing, due_at, suspended_of
from backend.services.unit_of_work import Work
from cardlib.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """A case as a list shows it; cents, Unix seconds. ``entry``: ``terminal:seq`` or None.

    ``rivals``: entries of other unproven claims for the same record of the card. They wait for
    what becomes of this one: at most one of them is true.
    """

    number: int
    code: str
    entry: str | None
    cents: int
    opened_at: int
    due_at: int
    """When the claim window of its town is over."""
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseOffice:
    """The use cases; people are named by whoever calls."""

    work: Work
    clock: Clock

    def waiting(self) -> list[OpenCase]:
        """Every open case, oldest first."""
        with self.work.read() as unit:
            return [_view(unit, case) for case in unit.acts.open_cases()]

    def close(
        self, case: int, decision: Decision, *, act: str, requested_by: str, approved_by: str,
        cover: Cover | None = None,
    ) -> int:  # fmt: skip
        """Moves the money of a case as two people decided; the cents moved.

        The same decision again changes nothing. UnknownError ``CASE_UNKNOWN``;
        NotPermittedError ``SAME_PERSON``; ConflictError and BadInputError as
        ``backend.domain.cases`` says; ConflictError ``FUND_TOO_SMALL``.
        """
        check_two_people(requested_by, approved_by)
        with self.work.begin() as unit:
            row = unit.acts.case(case)
            if row.state == CaseState.CLOSED and row.decision == decision:
                return 0
            closing = Closing(unit, row, self.clock.unix_ms() // 1000)
            check_decision(case, closing.facts(), decision, cover)
            closing.check_returns(decision)
            moved = closing.close(decision, cover)
            row.state, row.decision, row.act = CaseState.CLOSED, decision, act
            row.decided_by, row.approved_by, row.decided_at = requested_by, approved_by, closing.now
            if decision is Decision.RELEASE or (decision is Decision.PAY and closing.is_voided()):
                closing.judge_again()
            unit.commit()
        return moved


def _view(unit: Unit, case: CaseRow) -> OpenCase:
    posting = unit.acts.posting_of_case(case) if case.purse_id is not None else None
    parts = suspended_of(unit, posting) if posting is not None else ()
    return OpenCase(
        number=case.id, code=case.code, entry=case.entry_ref,
        cents=sum(item.left for item in parts),
        opened_at=case.opened_at, due_at=due_at(unit, case),
        rivals=_rivals(unit, posting) if posting is not None else (),
    )  # fmt: skip


def _rivals(unit: Unit, posting: PostingRow) -> tuple[str, ...]:
    rows = unit.verdicts.postings(posting.purse_id, posting.ctr)
    return tuple(
        f"{row.terminal}:{row.closing_seq}"
        for row in rows
        if row.ctr == posting.ctr and row.id != posting.id
        and row.state == posting.state == PostingState.UNPROVEN
    )  # fmt: skip
