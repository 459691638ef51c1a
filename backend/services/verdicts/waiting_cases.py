"""The case in which a posting's money waits: a new one, or the one that goes on."""

from backend.adapters.tables.verdicts import CaseRow, PostingRow
from backend.adapters.unit_of_work import Unit


def case_for(
    unit: Unit, posting: PostingRow, code: str, *, entry_ref: str | None, now: int
) -> CaseRow:
    """An open case of ``posting``, for the reason ``code``.

    One that two people closed stays as they left it, with who decided what: the posting gets
    a new case. One that is open, or that a proof closed, goes on.
    """
    before = None if posting.case_id is None else unit.verdicts.case(posting.case_id)
    if before is not None and not before.by_people:
        before.reopen(code, now)
        return before
    case = CaseRow(code=code, purse_id=posting.purse_id, entry_ref=entry_ref, opened_at=now)
    unit.add(case)
    posting.case_id = case.id
    return case
